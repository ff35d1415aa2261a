"""One run under `dtrain launch`, as a fault sees it: its processes, its checkpoints, its end."""

import os
import re
import shutil
import signal
import subprocess
import time

SETTINGS = [
    "dataset.training_samples=2000", "dataset.test_samples=500", "checkpoint.every_steps=5",
    "communication.timeout_seconds=3",
]
EPOCH_STEPS = 20
MARK = "DTRAIN_CAMPAIGN_ROUND"


class TooLate(Exception):
    """The run was over before the fault could strike."""


class Failed(Exception):
    """The run did not do what it should."""


class Round:
    def __init__(self, campaign, random, hosts, number):
        self.campaign = campaign
        self.random = random
        self.hosts = hosts
        self.mark = f"{os.getpid()}-{number}"
        self.folder = os.path.join(campaign.folder, f"round-{number}")
        self.run = os.path.join(self.folder, "run")
        os.makedirs(self.run)
        self.log = os.path.join(self.folder, "log")
        self.supervisor = None
        self.deadline = time.monotonic() + campaign.limit
        self.struck = self.step_struck = self.recovered = None

    # What runs

    def command(self, ranks=3, resume=False):
        words = [self.campaign.dtrain, "launch", "-n", str(ranks), "--min-ranks", str(min(2, ranks)), "--pause", "0.5"]
        words += self.hosts.options if self.hosts else []
        words += ["--", "train", "--quiet", "--run-dir", self.run, *(["--resume", "auto"] if resume else [])]
        return words + self.campaign.settings

    def start(self, ranks=3, resume=False, fault=None):
        environment = dict(os.environ, **{MARK: self.mark}, **({"DTRAIN_FAULT": fault} if fault else {}))
        with open(self.log, "ab") as log:
            self.supervisor = subprocess.Popen(
                self.command(ranks, resume), env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def processes(self):
        """(process, its environment, its arguments) of all that this round has started and that still runs."""
        mark = f"{MARK}={self.mark}".encode()
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    environment = file.read().split(b"\0")
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    arguments = file.read().decode().split("\0")
            except OSError:
                continue
            if mark in environment:
                yield int(name), environment, arguments

    def ranks(self):
        """The processes of ranks, by rank."""
        found = {}
        for process, environment, arguments in self.processes():
            for variable in environment:
                if variable.startswith(b"OMPI_COMM_WORLD_RANK=") and arguments[0] == self.campaign.dtrain:
                    found[int(variable.split(b"=")[1])] = process
        return found

    def mpirun(self):
        return [process for process, _, arguments in self.processes() if os.path.basename(arguments[0]) == "mpirun"]

    def any_rank(self):
        ranks = self.ranks()
        if not ranks:
            raise TooLate
        return ranks[self.random.choice(sorted(ranks))]

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    # What has come of it

    def checkpoints(self):
        try:
            names = os.listdir(os.path.join(self.run, "checkpoints"))
        except OSError:
            return []
        return sorted(name for name in names if re.fullmatch(r"step-\d+\.safetensors", name))

    def step(self):
        names = self.checkpoints()
        return int(names[-1][5:-12]) if names else 0

    # How time passes

    def wait(self, is_over, seconds=0.02):
        """Until something holds; the run may be over before."""
        while not is_over():
            self.expect_running()
            self.look()
            time.sleep(seconds)

    def expect_running(self):
        code = self.supervisor.poll()
        if code == 0:
            raise TooLate
        if code is not None:
            raise Failed(f"ended with code {code} before the fault")

    def look(self):
        if time.monotonic() > self.deadline:
            raise Failed("hung")
        if self.struck and not self.recovered and self.step() > self.step_struck:
            self.recovered = time.monotonic()

    def moment(self):
        """A random one: in the start of the ranks, or around a random step."""
        step = self.random.randrange(-10, self.campaign.steps - 5)
        if step >= 0:
            self.wait(lambda: self.step() >= step)
            time.sleep(self.random.uniform(0, 0.1))
        else:
            time.sleep(self.random.uniform(0, 0.8))

    def strike(self, fault):
        self.expect_running()
        self.step_struck = self.step()
        self.struck = time.monotonic()
        try:
            fault()
        except ProcessLookupError:
            raise TooLate from None

    def end(self):
        """The code that the supervisor ends with."""
        while self.supervisor.poll() is None:
            self.look()
            time.sleep(0.02)
        return self.supervisor.returncode

    def finish(self):
        """Waits for the end of the run, which has to be the one of the undisturbed run."""
        code = self.end()
        if code != 0:
            raise Failed(f"ended with code {code}")
        if not self.struck:
            raise TooLate
        self.recovered = self.recovered or time.monotonic()
        digest = self.campaign.digest_of(os.path.join(self.run, "weights.safetensors"))
        if digest != self.campaign.digest:
            raise Failed(f"other weights: {digest}")
        if self.ranks():
            raise Failed("ranks outlived the run")

    def clear(self):
        """Ends whatever is left."""
        if self.supervisor and self.supervisor.poll() is None:
            self.supervisor.kill()
            self.supervisor.wait()
        for _ in range(100):
            rest = [process for process, _, _ in self.processes()]
            if not rest:
                break
            for process in rest:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
        if self.hosts:
            self.hosts.mend()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
