"""Training images/s of PyTorch on several ranks under mpirun, one core a rank, a global batch of 100.

ddp: DistributedDataParallel over gloo. mpi4py: one flat Allreduce of all gradients.
"""

import os
import zlib

import measurement

arguments = measurement.parse_arguments(
    __doc__, reduction=["ddp", "mpi4py"], format=["channels-last", "nchw"]
)
rank = int(os.environ["OMPI_COMM_WORLD_RANK"])
ranks = int(os.environ["OMPI_COMM_WORLD_SIZE"])
measurement.pin(arguments.cores, rank)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

import mnist  # noqa: E402
from network_pytorch import DeepConvNet, adam, in_format, prepare  # noqa: E402

BATCH = 100

prepare(1)
pixels, digits, data = mnist.training_set()
images = in_format(torch.from_numpy(pixels), arguments.format)
labels = torch.from_numpy(digits)
network = in_format(DeepConvNet(), arguments.format)

if arguments.reduction == "ddp":
    import torch.distributed

    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    # The job's name keeps two jobs on one host apart.
    port = 20000 + zlib.crc32(os.environ["PMIX_NAMESPACE"].encode()) % 10000
    torch.distributed.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=ranks
    )
    model = torch.nn.parallel.DistributedDataParallel(network, gradient_as_bucket_view=True, static_graph=True)

    def reduce_gradients():
        pass

    def agree(steps):
        count = torch.tensor(steps)
        torch.distributed.broadcast(count, 0)
        return int(count)

    synchronize = torch.distributed.barrier
else:
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    model = network
    parameters = list(network.parameters())
    flat = torch.empty(sum(parameter.numel() for parameter in parameters))

    def reduce_gradients():
        torch.cat([parameter.grad.flatten() for parameter in parameters], out=flat)
        world.Allreduce(MPI.IN_PLACE, flat.numpy())
        flat.div_(ranks)
        offset = 0
        for parameter in parameters:
            part = flat[offset : offset + parameter.numel()]
            parameter.grad.copy_(part.view_as(parameter))
            offset += parameter.numel()

    def agree(steps):
        return world.bcast(steps)

    synchronize = world.Barrier

optimizer = adam(network)
batches = measurement.epochs(len(labels), BATCH)
share = slice(rank * BATCH // ranks, (rank + 1) * BATCH // ranks)


def step():
    batch = torch.from_numpy(next(batches)[share])
    optimizer.zero_grad(set_to_none=True)
    F.cross_entropy(model(images[batch]), labels[batch]).backward()
    reduce_gradients()
    optimizer.step()


rates = measurement.images_per_second(step, BATCH, arguments.seconds, agree, synchronize)
if rank == 0:
    measurement.report(arguments.name, rates, data=data, ranks=ranks)
if arguments.reduction == "ddp":
    # gloo's threads abort the process now and then when it ends. All is measured: it ends without them.
    synchronize()
    os._exit(0)
