"""Runs dtrain and its peers in turn on the same cores, several rounds, and prints a table of images/s.

launch/compare-peers.sh starts it, in an environment that has the peers.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]

# What the peers are given on top of the caller's environment.
PEER_SETTINGS = {
    # Freed tensors stay with the process instead of going back to the system and being mapped anew in every step.
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    # Threads of one process stay on a core each.
    "OMP_PROC_BIND": "close",
    "PYTHONDONTWRITEBYTECODE": "1",
    "TORCHINDUCTOR_CACHE_DIR": str(ROOT / ".build" / "inductor"),
}

# Variables that change what a numerical library does, recorded with the results.
RECORDED_VARIABLES = re.compile(r"^(OMP_|GOMP_|KMP_|MKL_|OPENBLAS_|ONEDNN_|DNNL_|XLA_|JAX_|TORCH|MALLOC_|OMPI_|PRTE_|DTRAIN_|LD_PRELOAD)")

DTRAIN = "dtrain"


@dataclass
class Measurement:
    """One command, run once a round; its rates, round by round, or why it failed."""

    name: str
    command: list
    # For dtrain: which settings of the table which key of its JSON is for. For a peer: its one setting.
    settings: dict
    rounds: list = field(default_factory=list)
    failure: str = ""


def distinct_cores():
    """The numbers of the processors this process may use, one a physical core."""
    cores, seen = [], set()
    for number in sorted(os.sched_getaffinity(0)):
        siblings = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
        core = siblings.read_text().strip() if siblings.exists() else str(number)
        if core not in seen:
            seen.add(core)
            cores.append(number)
    return cores


def measurements(executable, seconds, json_file):
    """All measurements, in the order in which a round runs them."""
    cores = distinct_cores()
    one, two = str(cores[0]), ",".join(map(str, cores[:2]))

    def peer(setting, name, script, *options, on=one, launcher=()):
        command = [*launcher, sys.executable, str(FOLDER / script), "--name", name, "--seconds", str(seconds)]
        return Measurement(name, [*command, "--cores", on, *options], {"images_per_second": setting})

    def dtrain(keys, *prefix, options=()):
        return Measurement(DTRAIN, [*prefix, str(executable), "bench", "--json", str(json_file), *options], keys)

    training, threads, ranks = "training, one core", "training, one process, two threads", "training, two ranks"
    inference = "inference, one core"
    torch = "pytorch_training.py"
    plan = [
        peer(training, "PyTorch, channels-last", torch),
        peer(training, "PyTorch, NCHW", torch, "--format", "nchw"),
        peer(training, "PyTorch, channels-last, compiled", torch, "--mode", "compiled"),
        peer(training, "JAX", "jax_training.py"),
        peer(inference, "PyTorch, channels-last", "pytorch_inference.py"),
        peer(inference, "PyTorch, channels-last, compiled", "pytorch_inference.py", "--mode", "compiled"),
        dtrain(
            {"training_images_per_second_rounds": training, "inference_images_per_second_rounds": inference},
            "taskset",
            "-c",
            one,
        ),
    ]
    if len(cores) < 2:
        print("only one core: nothing is measured on two", file=sys.stderr)
        return plan
    unbound = ("mpirun", "--bind-to", "none", "-n", "2")
    rank_script = "pytorch_ranks.py"
    return plan + [
        peer(threads, "PyTorch, channels-last", torch, on=two),
        dtrain({"training_images_per_second_rounds": threads}, "taskset", "-c", two, options=["training.threads=2"]),
        peer(ranks, "PyTorch DDP, gloo", rank_script, "--reduction", "ddp", on=two, launcher=unbound),
        peer(ranks, "PyTorch + mpi4py, one Allreduce", rank_script, "--reduction", "mpi4py", on=two, launcher=unbound),
        dtrain({"training_images_per_second_rounds": ranks}, "mpirun", "--bind-to", "core", "-n", "2"),
    ]


def run(measurement, json_file):
    """Runs a measurement once more, and keeps its rates by setting."""
    is_dtrain = measurement.name == DTRAIN
    environment = dict(os.environ) if is_dtrain else {**os.environ, **PEER_SETTINGS}
    json_file.unlink(missing_ok=True)
    result = subprocess.run(
        measurement.command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    try:
        if result.returncode != 0:
            raise ValueError(f"exit code {result.returncode}")
        answer = json.loads(json_file.read_text() if is_dtrain else result.stdout.splitlines()[-1])
        rates = {}
        for key, setting in measurement.settings.items():
            value = answer[key]
            rates[setting] = [float(rate) for rate in (value if isinstance(value, list) else [value])]
        measurement.rounds.append(rates)
    except (ValueError, KeyError, IndexError, OSError) as error:
        lines = (result.stderr or result.stdout).strip().splitlines()
        measurement.failure = f"{error!r}: {lines[-1] if lines else 'it printed nothing'}"


def rates_of(plan, setting):
    """For each measurement that has this setting: its name, and its rates over all rounds."""
    found = []
    for measurement in plan:
        if setting in measurement.settings.values():
            rates = [rate for rates in measurement.rounds for rate in rates.get(setting, [])]
            found.append((measurement, rates))
    return found


def table(plan):
    """The Markdown table: for each setting its peers, fastest first, and what dtrain is to each."""
    lines = [
        "| setting | program | images/s, median | best | dtrain to it, medians | bests |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    settings = dict.fromkeys(setting for measurement in plan for setting in measurement.settings.values())
    for setting in settings:
        found = rates_of(plan, setting)
        ours = next((rates for measurement, rates in found if measurement.name == DTRAIN), [])
        found.sort(key=lambda item: (item[0].name == DTRAIN, bool(item[1]), max(item[1], default=0)), reverse=True)
        for measurement, rates in found:
            if not rates:
                lines.append(f"| {setting} | {measurement.name} | failed | | | |")
                continue
            median, best = statistics.median(rates), max(rates)
            ratios = ["", ""]
            if ours and measurement.name != DTRAIN:
                ratios = [f"{statistics.median(ours) / median:.2f}", f"{max(ours) / best:.2f}"]
            lines.append(f"| {setting} | {measurement.name} | {median:,.0f} | {best:,.0f} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def first_line(*command):
    try:
        output = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return (output.stdout or output.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return "not there"


def surroundings(executable):
    """The machine, the versions and the variables that the results depend on."""
    processor = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return {
        "processor": processor.group(1) if processor else platform.machine(),
        "cores": distinct_cores(),
        "kernel": platform.release(),
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("torch", "jax", "jaxlib", "mpi4py", "numpy")},
            "mpirun": first_line("mpirun", "--version"),
            "swift": first_line("swift", "--version"),
            "c++": first_line("c++", "--version"),
            "dtrain": first_line(str(executable), "--version"),
            "commit": first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        },
        "environment": {name: value for name, value in sorted(os.environ.items()) if RECORDED_VARIABLES.match(name)},
        "peer_environment": PEER_SETTINGS,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtrain", type=Path, required=True, help="the program dtrain")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="how long a peer is measured in a round")
    parser.add_argument("--only", default="", help="a regular expression for the names and settings to measure")
    parser.add_argument("--results", type=Path, required=True, help="the JSON file to write")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        json_file = Path(folder) / "bench.json"
        plan = [
            measurement
            for measurement in measurements(arguments.dtrain, arguments.seconds, json_file)
            if re.search(arguments.only, " ".join([measurement.name, *measurement.settings.values()]))
        ]
        for number in range(1, arguments.rounds + 1):
            for measurement in plan:
                if measurement.failure:
                    continue
                run(measurement, json_file)
                said = measurement.failure or ", ".join(
                    f"{setting}: {max(rates):,.0f}" for setting, rates in measurement.rounds[-1].items()
                )
                print(f"round {number} of {arguments.rounds}: {measurement.name}: {said}", file=sys.stderr)

    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    arguments.results.write_text(
        json.dumps(
            {
                **surroundings(arguments.dtrain),
                "measurements": [
                    {
                        "name": measurement.name,
                        "command": shlex.join(measurement.command),
                        "rounds": measurement.rounds,
                        "failure": measurement.failure,
                    }
                    for measurement in plan
                ],
            },
            indent=2,
        )
    )
    print(table(plan))
    for measurement in plan:
        if measurement.failure:
            print(f"\n{measurement.name} failed: `{shlex.join(measurement.command)}`: {measurement.failure}")
    return 1 if any(measurement.failure for measurement in plan) else 0


if __name__ == "__main__":
    sys.exit(main())
