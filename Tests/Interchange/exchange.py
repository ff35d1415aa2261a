"""Reads and writes weights with the programs that dtrain exchanges them with, for Tests/EndToEndTests.

    exchange.py images FOLDER                 random images and labels as idx files
    exchange.py read FILE ...                 the weights digest of each file, as its own library reads it
    exchange.py write FILE.npz FOLDER         the same weights in every form that the libraries write
    exchange.py onnx MODEL IMAGES CSV         checks the model, and holds its scores against dtrain's
    exchange.py torch WEIGHTS IMAGES CSV      likewise an equal PyTorch module
    exchange.py precision FILE                the digest of what a safetensors file of fewer bits holds

Exit code 2: a library that the command needs is not installed.
"""

import csv
import gzip
import hashlib
import os
import pickle
import re
import sys

import numpy as np


def digest(weights):
    def order(name):
        return int(re.search(r"\d+$", name).group()), name

    hasher = hashlib.sha256()
    for name in sorted(weights, key=order):
        hasher.update(np.ascontiguousarray(weights[name]).astype("<f4").tobytes())
    return "sha256:" + hasher.hexdigest()


def load(path):
    if path.endswith(".npz"):
        return dict(np.load(path))
    if path.endswith(".pkl"):
        # As the book's load_params does.
        with open(path, "rb") as file:
            return pickle.load(file)
    from safetensors.numpy import load_file

    return load_file(path)


def idx(folder, stem, start):
    for name, opener in ((stem, open), (stem + ".gz", gzip.open)):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with opener(path, "rb") as file:
                return np.frombuffer(file.read(), np.uint8, offset=start)
    raise SystemExit(f"{folder} has no {stem}")


def images(folder):
    generator = np.random.default_rng(1)
    count = 300
    os.makedirs(folder, exist_ok=True)
    pixels = generator.integers(0, 256, (count, 28, 28)) * (generator.random((count, 28, 28)) < 0.2)
    labels = generator.integers(0, 10, count)
    with open(os.path.join(folder, "t10k-images-idx3-ubyte"), "wb") as file:
        file.write(np.array([0x803, count, 28, 28], ">i4").tobytes() + pixels.astype(np.uint8).tobytes())
    with open(os.path.join(folder, "t10k-labels-idx1-ubyte"), "wb") as file:
        file.write(np.array([0x801, count], ">i4").tobytes() + labels.astype(np.uint8).tobytes())


def write(source, folder):
    weights = load(source)
    wide = {name: np.asfortranarray(value.astype(np.float64)) for name, value in weights.items()}
    big = {name: value.astype(">f4") for name, value in weights.items()}
    for protocol in range(6):
        for form, arrays in (("float32", weights), ("fortran", wide), ("big", big)):
            with open(os.path.join(folder, f"{form}-{protocol}.pkl"), "wb") as file:
                pickle.dump(arrays, file, protocol)
    np.savez(os.path.join(folder, "stored.npz"), **wide)
    np.savez_compressed(os.path.join(folder, "deflated.npz"), **big)
    from safetensors.numpy import save_file

    save_file(weights, os.path.join(folder, "library.safetensors"))


def expected(path):
    with open(path) as file:
        rows = list(csv.reader(file))
    return np.array([[float(cell) for cell in row[4:]] for row in rows[1:]])


def compare(scores, path):
    wanted = expected(path)
    difference = np.abs(scores - wanted).max()
    if scores.shape != wanted.shape or not (scores.argmax(1) == wanted.argmax(1)).all() or difference > 1e-5:
        raise SystemExit(f"the scores differ by {difference}")
    print(f"{len(scores)} images, scores within {difference:.2g}")


def pixels(folder):
    return idx(folder, "t10k-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28).astype(np.float32) / 255


def run_onnx(model, folder, path):
    import onnx
    import onnxruntime

    onnx.checker.check_model(onnx.load(model), full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    data = pixels(folder)
    # Batches of several sizes, one among them.
    cuts = [0, 1, 8, *range(500, len(data), 500), len(data)]
    parts = [session.run(["scores"], {"images": data[a:b]})[0] for a, b in zip(cuts, cuts[1:]) if b > a]
    compare(np.concatenate(parts), path)


def run_torch(weights, folder, path):
    import torch
    from safetensors.torch import load_file
    from torch import nn
    from torch.nn import functional as F

    # The module of README.
    class DeepConvNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
            self.conv2 = nn.Conv2d(16, 16, 3, padding=1)
            self.conv3 = nn.Conv2d(16, 32, 3, padding=1)
            self.conv4 = nn.Conv2d(32, 32, 3, padding=2)
            self.conv5 = nn.Conv2d(32, 64, 3, padding=1)
            self.conv6 = nn.Conv2d(64, 64, 3, padding=1)
            self.fc1 = nn.Linear(1024, 50)
            self.fc2 = nn.Linear(50, 10)

        def forward(self, x):
            x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
            x = F.max_pool2d(F.relu(self.conv4(F.relu(self.conv3(x)))), 2)
            x = F.max_pool2d(F.relu(self.conv6(F.relu(self.conv5(x)))), 2)
            x = 0.5 * F.relu(self.fc1(x.flatten(1)))
            return 0.5 * self.fc2(x)

    module = DeepConvNet().eval()
    module.load_state_dict(load_file(weights))
    with torch.no_grad():
        compare(module(torch.from_numpy(pixels(folder))).numpy(), path)


def precision(path):
    from safetensors.numpy import load_file

    tensors = load_file(path)
    weights = {}
    for name, value in tensors.items():
        if name.endswith(".scale"):
            continue
        scale = tensors.get(name + ".scale")
        if scale is None:
            weights[name] = value.astype(np.float32)
        else:
            # One scale an output channel: the first dimension of a convolution, the last of an affine matrix.
            shape = (-1, 1, 1, 1) if value.ndim == 4 else (1, -1)
            weights[name] = value.astype(np.float32) * scale.reshape(shape)
    print(digest(weights))


def main(command, *arguments):
    if command == "images":
        images(*arguments)
    elif command == "read":
        for path in arguments:
            print(digest(load(path)))
    elif command == "write":
        write(*arguments)
    elif command == "onnx":
        run_onnx(*arguments)
    elif command == "torch":
        run_torch(*arguments)
    elif command == "precision":
        precision(*arguments)
    else:
        raise SystemExit(f"{command} is unknown")


try:
    main(*sys.argv[1:])
except ModuleNotFoundError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
