"""Three hosts on this machine: network namespaces on a bridge, with names of their own, which mpirun reaches by an agent
that stands for ssh."""

import os
import subprocess

# Stands for ssh: refuses where the link is down, as ssh would after a while.
AGENT = """#!/bin/sh
host=$1
shift
if ! ip link show "v-$host" | grep -q 'state UP'; then
  echo "no route to $host" >&2
  exit 255
fi
exec ip netns exec "$host" unshare --uts sh -c 'echo "$0" >/proc/sys/kernel/hostname; exec sh -c "$*"' "$host" "$@"
"""


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Hosts:
    """To be used in a `with`; raises OSError or CalledProcessError where the right to make namespaces is missing."""

    def __init__(self, folder):
        number = os.getpid()
        self.bridge = f"dt{number}"
        self.names = [f"dt{number}h{host}" for host in (1, 2, 3)]
        self.network = f"10.{64 + number // 250 % 64}.{number % 250}"
        self.agent = os.path.join(folder, "agent")
        self.hostfile = os.path.join(folder, "hosts")

    def __enter__(self):
        try:
            ip("link", "add", self.bridge, "type", "bridge")
            ip("address", "add", f"{self.network}.1/24", "dev", self.bridge)
            ip("link", "set", self.bridge, "up")
            for number, name in enumerate(self.names, start=11):
                ip("netns", "add", name)
                ip("link", "add", f"v-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
                ip("link", "set", f"v-{name}", "master", self.bridge, "up")
                ip("-n", name, "address", "add", f"{self.network}.{number}/24", "dev", "eth0")
                ip("-n", name, "link", "set", "eth0", "up")
                ip("-n", name, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        with open(self.agent, "w", encoding="utf-8") as file:
            file.write(AGENT)
        os.chmod(self.agent, 0o755)
        with open(self.hostfile, "w", encoding="utf-8") as file:
            file.writelines(f"{name} slots=1\n" for name in self.names)
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "delete", self.bridge], check=False, capture_output=True)

    @property
    def options(self):
        """Those of `dtrain launch`."""
        network = f"{self.network}.0/24"
        return [
            "--hostfile", self.hostfile,
            f"--mpirun-options=--mca plm_rsh_agent {self.agent} --mca plm_rsh_no_tree_spawn 1 --mca btl tcp,self"
            f" --mca btl_tcp_if_include {network} --mca oob_tcp_if_include {network}",
        ]

    def processes(self, name):
        output = subprocess.run(["ip", "netns", "pids", name], check=True, capture_output=True, text=True).stdout
        return [int(word) for word in output.split()]

    def set_link(self, name, state):
        ip("link", "set", f"v-{name}", state)

    def narrow(self, name):
        """To 20 Mbit/s, in both directions."""
        rate = ["root", "tbf", "rate", "20mbit", "burst", "64kbit", "latency", "400ms"]
        subprocess.run(["tc", "qdisc", "add", "dev", f"v-{name}", *rate], check=True, capture_output=True)
        subprocess.run(["tc", "-n", name, "qdisc", "add", "dev", "eth0", *rate], check=True, capture_output=True)

    def mend(self):
        for name in self.names:
            self.set_link(name, "up")
            subprocess.run(["tc", "qdisc", "del", "dev", f"v-{name}", "root"], check=False, capture_output=True)
            subprocess.run(["tc", "-n", name, "qdisc", "del", "dev", "eth0", "root"], check=False, capture_output=True)
