"""Names the cases, runs them, and counts: the small frame that the case files fill.

Why: the peers need servers that live through the whole run and a result a line
long for each case; nothing that installs a test framework would add to that.
Not here: any case.
"""

import fnmatch
import os
import shutil
import sys
import time
import traceback
from collections import namedtuple

Case = namedtuple("Case", "name peer body")

CASES = []


class Failed(Exception):
    """A case found something else than it wanted."""


def case(name, peer):
    """Registers the function below it as the case `PEER/NAME`; it is called with a Bench."""
    def register(body):
        add(name, peer, body)
        return body
    return register


def add(name, peer, body):
    """Registers one case; for those that are made from a table."""
    full = "%s/%s" % (peer, name)
    if any(known.name == full for known in CASES):
        raise ValueError("two cases are named " + full)
    CASES.append(Case(full, peer, body))


def equal(what, got, wanted):
    """Fails unless both are the same; long values are shown by their beginnings."""
    if got != wanted:
        raise Failed("%s: got %s, wanted %s" % (what, _short(got), _short(wanted)))


def true(what, condition):
    """Fails unless the condition, which `what` puts in words, holds."""
    if not condition:
        raise Failed("not so: " + what)


def chosen(patterns):
    """The cases that match any of the glob patterns; all when there is none."""
    if not patterns:
        return list(CASES)
    return [known for known in CASES if any(fnmatch.fnmatchcase(known.name, one) for one in patterns)]


def run(cases, make_bench, folder):
    """Runs the cases one after the other; (passed, failed)."""
    passed, failed = 0, []
    for one in cases:
        place = os.path.join(folder, "case")
        os.makedirs(place)
        began = time.monotonic()
        try:
            one.body(make_bench(one, place))
        except Failed as failure:
            failed.append(one.name)
            problem = str(failure)
        except Exception:  # a case that breaks is a case that fails
            failed.append(one.name)
            problem = traceback.format_exc()
        else:
            passed += 1
            problem = None
        shutil.rmtree(place)
        took = time.monotonic() - began
        print("%-6s %s  %.1f s" % ("FAILED" if problem else "ok", one.name, took))
        if problem:
            print("".join("       " + line + "\n" for line in problem.splitlines()), end="")
        sys.stdout.flush()
    return passed, failed


def _short(value):
    if isinstance(value, bytes) and len(value) > 64:
        return "%d bytes beginning %r" % (len(value), value[:24])
    return repr(value)
