"""DeepConvNet in PyTorch, as a user would write it, with the book's dropout."""

import torch
import torch.nn.functional as F

# Input and output channels and padding of the six 3x3 convolutions; 2x2 pooling after every second one.
CONVOLUTIONS = [(1, 16, 1), (16, 16, 1), (16, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 1)]


class DeepConvNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.convolutions = torch.nn.ModuleList(
            torch.nn.Conv2d(inputs, outputs, 3, padding=padding) for inputs, outputs, padding in CONVOLUTIONS
        )
        self.hidden = torch.nn.Linear(1024, 50)
        self.output = torch.nn.Linear(50, 10)
        for layer in [*self.convolutions, self.hidden, self.output]:
            torch.nn.init.kaiming_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def dropout(self, x):
        """Not inverted: masked in training, halved in prediction."""
        return x * (torch.rand_like(x) > 0.5) if self.training else x * 0.5

    def forward(self, x):
        for index, convolution in enumerate(self.convolutions):
            x = F.relu(convolution(x))
            if index % 2 == 1:
                x = F.max_pool2d(x, 2)
        x = self.dropout(F.relu(self.hidden(x.flatten(1))))
        return self.dropout(self.output(x))


def prepare(threads):
    """PyTorch's settings in every measurement."""
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def in_format(value, memory_format):
    """A network or a batch of images in one of the memory formats, nchw or channels-last."""
    if memory_format == "channels-last":
        return value.to(memory_format=torch.channels_last)
    return value


def adam(network):
    """Fused, foreach and neither differ by less than the spread of the measurement."""
    return torch.optim.Adam(network.parameters(), lr=0.001, fused=True)
