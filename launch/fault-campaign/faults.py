"""The faults: each starts a run, does it harm at a random moment, and sees it to its end."""

import os
import resource
import signal
import subprocess
import time

from round import EPOCH_STEPS, Failed, TooLate


def kill_rank(run):
    run.start()
    run.moment()
    run.strike(lambda: os.kill(run.any_rank(), signal.SIGKILL))
    run.finish()


def stop_rank(run):
    run.start()
    run.moment()
    run.strike(lambda: os.kill(run.any_rank(), signal.SIGSTOP))
    run.finish()


def kill_mpirun(run):
    run.start()
    run.moment()
    mpirun = run.mpirun()
    if not mpirun:
        raise TooLate
    run.strike(lambda: os.kill(mpirun[0], signal.SIGKILL))
    run.finish()


def kill_supervisor(run):
    run.start()
    run.moment()
    run.strike(run.supervisor.kill)
    run.end()
    run.start(resume=True)
    run.finish()


def terminate(run, ranks=3):
    """SIGTERM, SIGINT or SIGUSR1 to the supervisor, and later the same run on so many ranks."""
    run.start()
    run.moment()
    number = run.random.choice([signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
    run.strike(lambda: run.supervisor.send_signal(number))
    code = run.end()
    if code == 0:
        raise TooLate
    if code == -number and not run.checkpoints():
        raise TooLate  # Before the program could catch it.
    if code != 75:
        raise Failed(f"ended with code {code} when asked to stop")
    # What it wrote when asked to stop is not what it went on with.
    run.step_struck, run.recovered = run.step(), None
    run.start(ranks, resume=True)
    run.finish()


def change_ranks(run):
    terminate(run, run.random.choice([1, 2, 4, 5]))


def injected(run, kind):
    """An error thrown, or a quiet exit, in the program itself."""
    phases = ["start", "data", "computation", "scattering", "gathering", "update", "checkpoint", "evaluation", "end"]
    phase = run.random.choice(phases)
    step = run.random.randrange(1, run.campaign.steps)
    if phase == "checkpoint":
        step = step // 5 * 5 + 5
    if phase == "evaluation":
        step = step // EPOCH_STEPS * EPOCH_STEPS + EPOCH_STEPS
    rank = 0 if phase == "checkpoint" else run.random.randrange(3)
    run.detail = f"{phase}:{rank}:{step}"
    run.start(fault=f"{run.detail}:{kind}")
    run.wait(lambda: len(run.ranks()) == 3, seconds=0)
    run.wait(lambda: "injected fault" in run.text() or len(run.ranks()) < 3)
    run.strike(lambda: None)
    run.finish()


def error(run):
    injected(run, "error")


def quiet_exit(run):
    injected(run, "exit")


def full_disk(run):
    """Room for some checkpoints, and later for all; where nothing can be mounted, a limit on the size of files."""
    size = run.random.randrange(1, 6)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "dtrain-campaign", run.run]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        run.start()
        run.moment()
        rank = run.ranks().get(0)
        if rank is None:
            raise TooLate
        run.strike(lambda: resource.prlimit(rank, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
        run.finish()
        return
    try:
        run.start()
        run.wait(lambda: "No space left" in run.text())
        run.strike(lambda: None)
        time.sleep(run.random.uniform(0, 1))
        subprocess.run(["mount", "-o", "remount,size=64m", run.run], check=True, capture_output=True)
        run.finish()
    finally:
        run.clear()
        subprocess.run(["umount", "-l", run.run], check=False, capture_output=True)


def bad_checkpoint(run):
    """The newest is cut short or has a flipped bit when the run goes on."""
    run.start()
    least = run.random.randrange(2, 4)
    run.wait(lambda: len(run.checkpoints()) >= least)
    run.strike(run.supervisor.kill)
    run.end()
    while run.ranks():
        run.look()
        time.sleep(0.02)
    path = os.path.join(run.run, "checkpoints", run.checkpoints()[-1])
    size = os.path.getsize(path)
    place = run.random.randrange(size)
    if run.random.random() < 0.5:
        os.truncate(path, place)
        run.detail = f"cut to {place} bytes"
    else:
        with open(path, "r+b") as file:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 1 << run.random.randrange(8)]))
        run.detail = f"bit flipped in byte {place}"
    run.start(resume=True)
    run.finish()
    if "the one before it is taken" not in run.text():
        raise Failed("nobody told of the damaged checkpoint")


def two_jobs(run):
    """A second supervisor, and a second job without one, are refused and disturb nothing."""
    run.start()
    run.moment()
    run.wait(lambda: os.path.exists(os.path.join(run.run, "lock")))
    launch = run.command(resume=True)
    train = [run.campaign.dtrain] + launch[launch.index("--") + 1:]
    second = run.random.choice([launch, train])

    def start_second():
        code = subprocess.run(second, check=False, capture_output=True, timeout=60).returncode
        if run.supervisor.poll() is not None:
            raise TooLate
        if code != 73:
            raise Failed(f"a second job in the folder ended with code {code}")

    run.strike(start_second)
    run.finish()


def host_gone(run):
    """Nothing of a host runs any more, and nothing reaches it."""
    run.start()
    run.moment()
    name = run.random.choice(run.hosts.names)

    def take_away():
        run.hosts.set_link(name, "down")
        for process in run.hosts.processes(name):
            os.kill(process, signal.SIGKILL)

    run.strike(take_away)
    run.finish()


def link_cut(run):
    run.start()
    run.moment()
    name = run.random.choice(run.hosts.names)
    run.strike(lambda: run.hosts.set_link(name, "down"))
    run.finish()


def link_narrow(run):
    run.start()
    run.moment()
    name = run.random.choice(run.hosts.names)
    run.strike(lambda: run.hosts.narrow(name))
    run.finish()


# Name, what is done, whether it needs several hosts.
KINDS = {
    "kill-rank": (kill_rank, False),
    "kill-mpirun": (kill_mpirun, False),
    "kill-supervisor": (kill_supervisor, False),
    "stop-rank": (stop_rank, False),
    "error": (error, False),
    "quiet-exit": (quiet_exit, False),
    "full-disk": (full_disk, False),
    "bad-checkpoint": (bad_checkpoint, False),
    "terminate": (terminate, False),
    "two-jobs": (two_jobs, False),
    "change-ranks": (change_ranks, False),
    "hosts-kill-rank": (kill_rank, True),
    "hosts-stop-rank": (stop_rank, True),
    "hosts-kill-mpirun": (kill_mpirun, True),
    "hosts-host-gone": (host_gone, True),
    "hosts-link-cut": (link_cut, True),
    "hosts-link-narrow": (link_narrow, True),
}
