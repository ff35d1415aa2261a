"""Writes the seeds of the fuzzers: FOLDER/READER/NAME, from real files where a run leaves some.

Usage: seeds.py FOLDER RUN, where RUN is the folder of a short run of dtrain.
"""

import gzip
import io
import pathlib
import pickle
import sys
import zlib

try:
    import numpy
except ImportError:
    numpy = None

folder, run = (pathlib.Path(argument) for argument in sys.argv[1:])


def seed(reader, name, content):
    """One seed of a reader."""
    path = folder / reader / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def idx(*dimensions):
    """An idx file of unsigned bytes."""
    count = 1
    for dimension in dimensions:
        count *= dimension
    header = bytes([0, 0, 8, len(dimensions)])
    return header + b"".join(d.to_bytes(4, "big") for d in dimensions) + bytes(i % 251 for i in range(count))


for name, dimensions in [("labels", (7,)), ("images", (3, 4, 5)), ("channels", (2, 3, 2, 2))]:
    seed("idx", name, idx(*dimensions))
    seed("idx", name + "-gz", gzip.compress(idx(*dimensions), mtime=0))
seed("gzip", "text", gzip.compress(b"a text of some length, of some length\n" * 9, mtime=0))
seed("gzip", "stored", gzip.compress(bytes(range(99)), compresslevel=0, mtime=0))
seed("gzip", "members", gzip.compress(b"first", mtime=0) + gzip.compress(b"", mtime=0))
seed("gzip", "named", b"\x1f\x8b\x08\x08\0\0\0\0\0\xffname\0" + gzip.compress(b"content", mtime=0)[10:])

weights = (run / "weights.safetensors").read_bytes()
seed("safetensors", "weights", weights)
length = int.from_bytes(weights[:8], "little")
seed("json", "weights", (len(weights) - 8 - length).to_bytes(2, "big") + weights[8 : 8 + length])
seed("json", "escapes", b'\0\4{"__metadata__":{"a\\u00e4\\ud83d\\ude00\\n":"b"},"W":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} ')
for path in (run / "checkpoints").glob("step-*"):
    seed("checkpoint", path.name, path.read_bytes())
    seed("safetensors", path.name, path.read_bytes())

for path in [run / "configuration.yaml", *pathlib.Path("configs").glob("*.yaml")]:
    seed("yaml", path.name, path.read_bytes())
seed("yaml", "overrides", b"seed=1\nmodel.filters=[8, 8]\noptimizer.epsilon=1e-8\ndataset.path=\"a b\"\n")
seed("yaml", "forms", b"seed: 0x10\ntraining: {epochs: 2, batch: 1_0}\nmodel:\n  filters:\n    - 8\n    - &a 8\n")

for number, line in enumerate([
    "train --run-dir r --max-steps 3 -q seed=1", "--run-dir=r", "inspect a b -- --c", "help train", "--version",
    "train --progress plain --run-dir r a=b", "trian",
]):
    seed("commandline", f"line-{number}", line.replace(" ", "\n").encode())

for number, lines in enumerate([
    "# rack\n\na slots=4 max_slots=8\n\tb-1.local  # its cores\r\n", "a\na\nb\n", "me@10.0.0.3 cpu = 2 port=23\n",
    "a max-slots=3 username=me\nb count=2\nb",
]):
    seed("hosts", f"hosts-{number}", lines.encode())

for ending, reader in [("pkl", "pickle"), ("npz", "npz")]:
    seed(reader, "weights", (run / f"weights.{ending}").read_bytes())
if numpy:
    arrays = {
        "W1": numpy.linspace(-1, 1, 6).reshape(2, 3), "W2": numpy.asfortranarray(numpy.ones((3, 2), "f4")),
        "b1": numpy.array([1e-3, 2], ">f4"), "scalar": numpy.float32(3).reshape(()), "none": numpy.zeros((0, 2), "f4"),
    }
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        seed("pickle", f"protocol-{protocol}", pickle.dumps(arrays, protocol))
        seed("pickle", f"one-{protocol}", pickle.dumps({"b": numpy.arange(2, dtype="f4")}, protocol))
    for name, save in [("stored", numpy.savez), ("deflated", numpy.savez_compressed)]:
        stream = io.BytesIO()
        save(stream, **arrays)
        seed("npz", name, stream.getvalue())
    for name, array in arrays.items():
        stream = io.BytesIO()
        numpy.save(stream, array)
        seed("npz", "array-" + name, stream.getvalue())


def chunk(name, content):
    """A chunk of a PNG file."""
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


def png(width, height, depth, kind, samples, interlaced=0, extra=b""):
    """A PNG file of some pixels, or of what an interlaced one takes for some."""
    row = b"\0" + bytes(range(37, 37 + (width * depth * samples + 7) // 8))
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, kind, 0, 0, interlaced])
    rows = b"\1\5" * 20 if interlaced else row * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


for depth, kind, samples in [(1, 0, 1), (8, 0, 1), (16, 0, 1), (8, 2, 3), (8, 4, 2), (16, 6, 4)]:
    seed("png", f"kind-{kind}-{depth}", png(5, 3, depth, kind, samples))
seed("png", "palette", png(5, 3, 2, 3, 1, extra=chunk(b"PLTE", bytes(12)) + chunk(b"tRNS", bytes(2))))
seed("png", "gamma", png(3, 2, 8, 0, 1, extra=chunk(b"gAMA", (45455).to_bytes(4, "big")) + chunk(b"tRNS", bytes(2))))
seed("png", "interlaced", png(5, 5, 8, 0, 1, 1))

seed("runfiles", "lock", b"host a-host\nprocess 1234\nstarted 567\nsince 1700000000\n")
for name in ["checkpoints/best.json", "metrics.jsonl", "metrics.csv"]:
    seed("runfiles", pathlib.Path(name).name, (run / name).read_bytes())
