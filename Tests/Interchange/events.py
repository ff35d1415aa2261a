"""Reads a folder of events with TensorBoard's own reader and prints, as one JSON object, what each tag has.

    events.py FOLDER
"""

import json
import struct
import sys
import zlib

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util


def pixels(png):
    """Width, height and bytes of the rows of a PNG file, whose checksums are verified."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    place, data, size = 8, b"", None
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind, chunk = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack(">I", png[place + 8 + length : place + 12 + length])
        assert zlib.crc32(kind + chunk) == checksum
        if kind == b"IHDR":
            size = struct.unpack(">II", chunk[:8])
        elif kind == b"IDAT":
            data += chunk
        place += 12 + length
    return (*size, len(zlib.decompress(data)))


def main(folder):
    # Everything is kept: by default the reader keeps a sample.
    everything = {kind: 0 for kind in ("scalars", "histograms", "compressedHistograms", "images", "tensors")}
    reader = event_accumulator.EventAccumulator(folder, size_guidance=everything)
    reader.Reload()
    result = {"scalars": {}, "histograms": {}, "images": {}, "texts": {}}
    tags = reader.Tags()
    for tag in tags["scalars"]:
        result["scalars"][tag] = [[event.step, event.value] for event in reader.Scalars(tag)]
    for tag in tags["histograms"]:
        result["histograms"][tag] = [
            [event.step, event.histogram_value.num, sum(event.histogram_value.bucket), event.histogram_value.min,
             event.histogram_value.max, len(event.histogram_value.bucket) == len(event.histogram_value.bucket_limit)]
            for event in reader.Histograms(tag)
        ]
    for tag in tags["images"]:
        result["images"][tag] = [
            [event.step, event.width, event.height, *pixels(event.encoded_image_string)] for event in reader.Images(tag)
        ]
    for tag in tags["tensors"]:
        metadata = reader.SummaryMetadata(tag)
        if metadata.plugin_data.plugin_name == "text":
            result["texts"][tag] = [
                [event.step, tensor_util.make_ndarray(event.tensor_proto).item().decode()] for event in reader.Tensors(tag)
            ]
    json.dump(result, sys.stdout)


main(sys.argv[1])
