"""Starts a server in a process group of its own and ends exactly that group.

Why: a test run must leave nothing behind, also when it fails or is interrupted,
and must never touch a process that it did not start.
Not here: what the servers are and how they are told their ports (servers.py).
"""

import ctypes
import os
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
# Below what the kernel hands out for outgoing connections, so that nothing
# takes a port between our choice and the server's bind.
PORTS = range(20000, 32000)
_given = set()


class Server:
    """A running server; `log` is the file that holds what it said."""

    def __init__(self, name, command, environment, log):
        self.name = name
        self.log = log
        with open(log, "ab") as sink:
            self.process = subprocess.Popen(
                command, env=environment, cwd=os.path.dirname(log), stdin=subprocess.DEVNULL,
                stdout=sink, stderr=sink, start_new_session=True, preexec_fn=_die_with_parent,
            )

    def wait_until(self, ready, seconds):
        """Waits until `ready()` is true; raises when the server ends or does not come up in time."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise SystemExit("peers: %s ended with %s:\n%s" % (self.name, self.process.returncode, self.tail()))
            if time.monotonic() > deadline:
                raise SystemExit("peers: %s was not ready after %d s:\n%s" % (self.name, seconds, self.tail()))
            time.sleep(0.1)

    def stop(self, gently=True):
        """Ends the whole group: asks first when `gently`, then makes sure."""
        if gently and self._signal(signal.SIGTERM):
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                pass
        self._signal(signal.SIGKILL)
        self.process.wait()

    def tail(self, lines=25):
        """The last lines of the log."""
        with open(self.log, errors="replace") as file:
            return "".join("    " + line for line in file.readlines()[-lines:])

    def _signal(self, number):
        # The group's number is the leader's pid, which stays ours until waited for.
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return False
        return True


def free_ports(count):
    """`count` loopback ports that nobody listens on and that were not given out before."""
    # Where to begin depends on the process, so that two runs at once keep apart.
    start = os.getpid() * 37 % len(PORTS)
    found = []
    for step in range(len(PORTS)):
        port = PORTS[(start + step) % len(PORTS)]
        if port not in _given and _is_free(port):
            _given.add(port)
            found.append(port)
            if len(found) == count:
                return found
    raise SystemExit("peers: no %d free ports between %d and %d" % (count, PORTS.start, PORTS.stop))


def _is_free(port):
    with socket.socket() as probe:
        # As servers do: a port that only lingers after closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _die_with_parent():
    # Even a killed test run takes its servers with it.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
