"""Chooses the cases, starts their peers, runs them, and stops what it started.

Why: one process owns the servers, so that every way out ends them.
Not here: making the environment this runs in (run, environments.py).
"""

import argparse
import importlib
import os
import shutil
import signal
import sys

import checks
from bench import Bench
from certificates import Certificates
from servers import Servers, run_folder

CASE_FILES = [
    "cases_round_trips",
    "cases_others",
    "cases_refusals",
    "cases_multipart",
    "cases_s3ec",
    "cases_esdk",
    "cases_rotate",
    "cases_rotate_formats",
    "cases_rotate_life",
    "cases_cleanup",
    "cases_doctor",
    "cases_readme",
    "contract_objects",
    "contract_buckets",
    "contract_kms",
]


def main():
    """Runs the chosen cases; the exit code."""
    arguments = _arguments()
    for name in CASE_FILES:
        importlib.import_module(name)
    cases = checks.chosen(arguments.cases)
    if not cases:
        print("peers: no case matches; tests/peers/run --list names them", file=sys.stderr)
        return 2
    if arguments.list:
        print("\n".join(one.name for one in cases))
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    folder = run_folder()
    try:
        with Servers(folder, Certificates(os.path.join(folder, "tls"))) as servers:
            servers.start({peer for one in cases for peer in one.peer.split("+")})
            passed, failed = checks.run(cases, lambda one, place: Bench(one, place, servers.peers), folder)
    finally:
        if arguments.keep:
            print("peers: logs kept in " + folder, file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for name in failed:
        print("FAILED " + name)
    print("\n%d passed, %d failed" % (passed, len(failed)))
    return 1 if failed else 0


def _arguments():
    parser = argparse.ArgumentParser(prog="tests/peers/run")
    parser.add_argument("cases", nargs="*", metavar="PATTERN", help="names of cases, * and ? as in a shell")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--keep", action="store_true", help="keep the servers' logs")
    return parser.parse_args()


def _stop(number, _frame):
    # Once asked, no more asking: what is left is stopping the servers.
    for other in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
