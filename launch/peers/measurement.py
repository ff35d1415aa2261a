"""How every peer is measured: on which cores, for how long, and what it prints.

Imports nothing that starts threads, so that a script can pin itself before it imports its framework.
"""

import argparse
import json
import os
import sys
import time

WARM_UP_STEPS = 10
CALIBRATION_STEPS = 5
WINDOWS = 5


def parse_arguments(description, **choices):
    """--name, --seconds and --cores, and one option for each of `choices`, a list of its values."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--name", required=True, help="what the JSON line calls this measurement")
    parser.add_argument("--seconds", type=float, default=5, help="how long to measure after warming up")
    parser.add_argument("--cores", default="", help="the cores to use, as 0,1; each rank takes one")
    for option, values in choices.items():
        parser.add_argument(f"--{option}", choices=values, default=values[0])
    return parser.parse_args()


def pin(cores, rank=None):
    """Binds this process to the cores, or to the one of its rank. Returns how many it has."""
    numbers = [int(core) for core in cores.split(",") if core]
    if rank is not None:
        numbers = numbers[rank : rank + 1]
    if numbers:
        os.sched_setaffinity(0, numbers)
    return len(os.sched_getaffinity(0))


def images_per_second(step, images, seconds, agree=lambda steps: steps, synchronize=lambda: None):
    """The images per second of each of a few windows that together take about `seconds`.

    step: does one step over `images` images of the whole job.
    agree: takes the number of steps a window has from the first rank, so that all ranks do as many.
    synchronize: returns when everything that was started is done.
    """
    for _ in range(WARM_UP_STEPS):
        step()
    synchronize()
    start = time.perf_counter()
    for _ in range(CALIBRATION_STEPS):
        step()
    synchronize()
    one = (time.perf_counter() - start) / CALIBRATION_STEPS
    steps = agree(max(1, round(seconds / WINDOWS / one)))
    rates = []
    for _ in range(WINDOWS):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        synchronize()
        rates.append(steps * images / (time.perf_counter() - start))
    return rates


def report(name, rates, **facts):
    """The one line of JSON that the driver reads."""
    print(json.dumps({"name": name, "images_per_second": rates, **facts}))
    sys.stdout.flush()


def epochs(count, batch, seed=0):
    """Batches of indices without end: each epoch a fresh random order."""
    import numpy as np

    generator = np.random.default_rng(seed)
    while True:
        order = generator.permutation(count)
        for first in range(0, count - batch + 1, batch):
            yield order[first : first + batch]
