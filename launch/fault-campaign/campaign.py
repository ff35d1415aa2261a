"""Runs the rounds of a fault campaign. launch/fault-campaign.sh says what it does and takes."""

import argparse
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from faults import KINDS
from hosts import Hosts
from round import EPOCH_STEPS, SETTINGS, Failed, Round, TooLate


class Campaign:
    def __init__(self, dtrain, folder, limit, epochs):
        self.dtrain = os.path.realpath(dtrain)
        self.folder = folder
        self.limit = limit
        self.steps = EPOCH_STEPS * epochs
        self.settings = [*SETTINGS, f"training.epochs={epochs}"]
        self.digest = None

    def digest_of(self, weights):
        done = subprocess.run([self.dtrain, "inspect", weights], check=False, capture_output=True, text=True)
        for line in done.stdout.splitlines():
            if line.startswith("weights digest"):
                return line.split()[2]
        raise Failed(f"{weights} cannot be inspected: {done.stderr.strip()}")

    def train_undisturbed(self):
        """In one process, on real data where there are. Returns what it was trained on."""
        for data in ("mnist", "synthetic-digits"):
            settings = [*self.settings, f"dataset.name={data}"]
            folder = os.path.join(self.folder, "undisturbed")
            done = subprocess.run(
                [self.dtrain, "train", "--quiet", "--run-dir", folder, *settings],
                check=False, capture_output=True, text=True)
            if done.returncode == 0:
                self.settings = settings
                self.digest = self.digest_of(os.path.join(folder, "weights.safetensors"))
                return data
            if done.returncode != 66:
                break
        sys.exit(f"launch/fault-campaign.sh: the undisturbed run fails: {done.stderr.strip()}")


class Tally:
    def __init__(self):
        self.staged = self.recovered = self.skipped = 0
        self.seconds = []

    def cells(self):
        times = [f"{statistics.median(self.seconds):.1f}", f"{max(self.seconds):.1f}"] if self.seconds else ["", ""]
        return [str(self.staged), str(self.recovered), *times]


def play(campaign, kind, seed, number, hosts):
    """One round, tried again where the run was over before the fault.

    Returns the seconds to recover, or raises Failed.
    """
    fault, needs_hosts = KINDS[kind]
    for attempt in range(5):
        run = Round(campaign, random.Random(f"{seed}/{kind}/{attempt}"), hosts if needs_hosts else None,
                    f"{number}-{attempt}")
        run.detail = ""
        kept = False
        try:
            fault(run)
            return run.recovered - run.struck, run.detail
        except TooLate:
            continue
        except Failed as failure:
            kept = True
            raise Failed(f"{failure} {run.detail}; {run.log}") from None
        finally:
            run.clear()
            if not kept:
                run.remove()
    raise Failed("the run was always over before the fault could strike")


def table(tallies):
    rows = [["fault", "staged", "recovered to equal weights", "median s to recover", "longest"]]
    rows += [[kind, *tally.cells()] for kind, tally in tallies.items() if tally.staged]
    total = Tally()
    for tally in tallies.values():
        total.staged += tally.staged
        total.recovered += tally.recovered
        total.seconds += tally.seconds
    rows.append(["all", *total.cells()])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "| --- " * len(rows[0]) + "|")
    return "\n".join(lines) + "\n"


def open_hosts(stack, folder, required):
    try:
        return stack.enter_context(Hosts(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        if required:
            print(f"launch/fault-campaign.sh: no hosts of network namespaces can be made: {error}", file=sys.stderr)
            sys.exit(77)
        return None


def main():
    parser = argparse.ArgumentParser(prog="launch/fault-campaign.sh", add_help=False)
    parser.add_argument("--dtrain", required=True)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(KINDS))
    parser.add_argument("--markdown")
    parser.add_argument("--limit", type=float, default=180)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--require-namespaces", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.error = lambda message: parser.exit(64, f"launch/fault-campaign.sh: {message}; see --help\n")
    options = parser.parse_args()
    if options.list:
        print("\n".join(KINDS))
        return 0
    unknown = [kind for kind in options.only if kind not in KINDS]
    if unknown:
        print(f"launch/fault-campaign.sh: no such kind: {', '.join(unknown)}; --list names them", file=sys.stderr)
        return 64

    kinds = list(options.only)
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    random.Random(seed).shuffle(kinds)
    rounds = len(kinds) if options.rounds is None else options.rounds
    tallies = {kind: Tally() for kind in options.only}
    failed = 0
    # A campaign that is asked to stop ends its round first: processes and hosts are cleared away, and the table is printed.
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    with contextlib.ExitStack() as stack:
        folder = tempfile.mkdtemp(prefix="dtrain-campaign-")
        campaign = Campaign(options.dtrain, folder, options.limit, options.epochs)
        data = campaign.train_undisturbed()
        hosts = open_hosts(stack, folder, options.require_namespaces)
        print(f"{rounds} rounds, seed {seed}, {data}, undisturbed weights {campaign.digest}", flush=True)
        for number in range(rounds):
            if stopped:
                break
            kind = kinds[number % len(kinds)]
            tally = tallies[kind]
            line = f"round {number + 1:3}  {kind:18} seed {seed + number:<8} "
            if KINDS[kind][1] and hosts is None:
                tally.skipped += 1
                continue
            tally.staged += 1
            start = time.monotonic()
            try:
                seconds, detail = play(campaign, kind, seed + number, number + 1, hosts)
                tally.recovered += 1
                tally.seconds.append(seconds)
                line += f"recovered after {seconds:5.1f} s  {detail}"
            except Failed as failure:
                failed += 1
                line += f"FAILED: {failure}"
            print(f"{line}  ({time.monotonic() - start:.1f} s)", flush=True)
    text = table(tallies)
    print(text)
    skipped = sum(tally.skipped for tally in tallies.values())
    if skipped:
        print(f"{skipped} rounds skipped: the right to make network namespaces is missing")
    if options.markdown:
        with open(options.markdown, "w", encoding="utf-8") as file:
            file.write(text)
    if failed:
        print(f"{failed} rounds failed; their folders and logs are in {folder}")
        return 1
    subprocess.run(["rm", "-rf", folder], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
