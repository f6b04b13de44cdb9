"""What the README shows of other programs works as it stands there.

Why: a reader will paste it. The text itself is run; only the names in it are replaced.
Not here: the README's own commands, which the demo runs.
"""

import os
import re

from bench import content
from checks import add, equal, true

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")


def _snippet():
    with open(README, encoding="utf-8") as file:
        found = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)
    equal("Python snippets in the README", len(found), 1)
    return found[0]


class _Boto3:
    """Stands in for boto3 in the snippet: its clients reach the peer."""

    def __init__(self, peer):
        self._made = {"kms": peer.kms, "s3": peer.new_s3}

    def client(self, name):
        return self._made[name]()


def python_snippet_opens(b):
    plain = content(100_000)
    b.tool.put(plain, b.name, "-e", "client", "--kms-key", b.peer.key.arn, "--context", "app=db")
    text = _snippet()
    true("the snippet begins with boto3", text.startswith("import boto3\n"))
    for shown, real in (('"bucket"', repr(b.bucket)), ('"backup.tar"', repr(b.name))):
        true("the snippet names %s" % shown, shown in text)
        text = text.replace(shown, real)
    text = re.sub(r'"arn:aws:kms:[^"]*"', repr(b.peer.key.arn), text.removeprefix("import boto3\n"))
    names = {"boto3": _Boto3(b.peer)}
    exec(text, names)  # The README is ours.
    equal("what the snippet reads", names["plain"], plain)


add("readme/python-snippet", "localstack", python_snippet_opens)
