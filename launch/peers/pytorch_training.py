"""Training images/s of PyTorch in one process, on one core or several."""

import measurement

arguments = measurement.parse_arguments(
    __doc__, format=["channels-last", "nchw"], mode=["eager", "compiled"]
)
threads = measurement.pin(arguments.cores)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

import mnist  # noqa: E402
from network_pytorch import DeepConvNet, adam, in_format, prepare  # noqa: E402

BATCH = 100

prepare(threads)
pixels, digits, data = mnist.training_set()
images = in_format(torch.from_numpy(pixels), arguments.format)
labels = torch.from_numpy(digits)
network = in_format(DeepConvNet(), arguments.format)
optimizer = adam(network)


def loss(x, y):
    return F.cross_entropy(network(x), y)


if arguments.mode == "compiled":
    loss = torch.compile(loss)

batches = measurement.epochs(len(labels), BATCH)


def step():
    batch = torch.from_numpy(next(batches))
    optimizer.zero_grad(set_to_none=True)
    loss(images[batch], labels[batch]).backward()
    optimizer.step()


rates = measurement.images_per_second(step, BATCH, arguments.seconds)
measurement.report(arguments.name, rates, data=data, threads=threads)
