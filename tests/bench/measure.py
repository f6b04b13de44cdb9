"""Runs one client and says what it cost: time on the wall, CPU, memory.

Why: the server works on the same machine; only what the client itself used can
be compared. Not here: which commands there are (tools.py), what is done with
the numbers (table.py).
"""

import collections
import os
import statistics
import subprocess
import time

Cost = collections.namedtuple("Cost", "wall cpu user system rss_mib failed")


def run(command, environment, stdin=None, stdout=None):
    """Runs a shell command. CPU and memory are of all its processes: the shell waits for each of them.

    Memory is that of the largest single process; a pipeline's others are not added. Less than this program itself
    takes (some 20 MiB) cannot be seen: the system counts from before the client was loaded.
    """
    with open(stdin or os.devnull, "rb") as source, open(stdout or os.devnull, "wb") as sink:
        start = time.perf_counter()
        child = subprocess.Popen(
            ["bash", "-c", "set -o pipefail; " + command], env=environment, stdin=source, stdout=sink,
            stderr=subprocess.PIPE,
        )
        said = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    failed = None
    if child.returncode != 0:
        failed = "exit %d: %s" % (child.returncode, said.decode(errors="replace").strip()[-300:])
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_utime, used.ru_stime, used.ru_maxrss / 1024, failed)


def summary(costs, own=None):
    """Medians and the range of several costs, as plain numbers; with `own`, also of their ratios to its costs in the same rounds."""
    numbers = {"rounds": len(costs)}
    for name in ("wall", "cpu", "user", "system", "rss_mib"):
        numbers[name] = _range(getattr(cost, name) for cost in costs)
    for name in ("wall", "cpu") if own else ():
        pairs = zip(costs, own)
        numbers[name + "_ratio"] = _range(getattr(cost, name) / getattr(mine, name) for cost, mine in pairs)
    return numbers


def _range(values):
    values = sorted(values)
    return {"median": statistics.median(values), "least": values[0], "most": values[-1]}
