"""Inference images/s of PyTorch in one process, batches of 100."""

import measurement

arguments = measurement.parse_arguments(
    __doc__, format=["channels-last", "nchw"], mode=["eager", "compiled"]
)
threads = measurement.pin(arguments.cores)

import torch  # noqa: E402

import mnist  # noqa: E402
from network_pytorch import DeepConvNet, in_format, prepare  # noqa: E402

BATCH = 100

prepare(threads)
pixels, _, data = mnist.training_set()
images = in_format(torch.from_numpy(pixels), arguments.format)
network = in_format(DeepConvNet(), arguments.format).eval()

if arguments.mode == "compiled":
    import torch._inductor.config

    # Weights are constants and are laid out once for the kernels.
    torch._inductor.config.freezing = True
    network = torch.compile(network)

first = 0


def step():
    global first
    with torch.inference_mode():
        network(images[first : first + BATCH])
    first = (first + BATCH) % (len(images) - BATCH + 1)


rates = measurement.images_per_second(step, BATCH, arguments.seconds)
measurement.report(arguments.name, rates, data=data, threads=threads)
