"""Runs the real s3seal binary, the aws cli and rclone against a peer and keeps what they said.

Why: the cases hold the tool to its command line: arguments in, exit code and
bytes out, in an environment that holds nothing but what a case names.
Not here: what must come of it (cases_*.py).
"""

import os
import signal
import subprocess
import sys
from collections import namedtuple

from checks import Failed
from servers import clean_environment, target_folder

# A hung tool fails its case; nothing here takes a tenth of this.
SECONDS = 120

Done = namedtuple("Done", "exit stdout stderr")


class Tool:
    """s3seal, pointed at one peer, with a home directory that holds nothing."""

    def __init__(self, peer, folder):
        self.binary = os.path.abspath(os.environ.get("S3SEAL_BIN", os.path.join(target_folder(), "s3seal")))
        self.peer = peer
        self.folder = folder
        self.home = os.path.join(folder, "home")
        os.makedirs(self.home, exist_ok=True)

    def environment(self, **changes):
        """The environment the tool runs in; a change to None removes the variable."""
        told = clean_environment(HOME=self.home, **self.peer.environment())
        for name in [name for name in told if name.startswith("XDG_")]:
            del told[name]
        for name, value in changes.items():
            if value is None:
                told.pop(name, None)
            else:
                told[name] = value
        return told

    def start(self, *arguments, **changes):
        """The tool started and left running, its three streams as pipes."""
        return subprocess.Popen(
            [self.binary, *arguments], env=self.environment(**changes), cwd=self.folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )

    def run(self, *arguments, stdin=b"", exit=0, **changes):
        """Runs the tool to its end and fails unless it exits with `exit` (a number or several)."""
        return self.ended(self.start(*arguments, **changes), arguments, stdin, exit)

    def ended(self, process, arguments, stdin=b"", exit=0):
        """Waits for a started tool and fails unless it exits with `exit`."""
        try:
            stdout, stderr = process.communicate(stdin, SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            _, stderr = process.communicate()
            raise Failed("s3seal %s did not end within %d s\n%s" % (" ".join(arguments), SECONDS, _text(stderr)))
        wanted = exit if isinstance(exit, tuple) else (exit,)
        if process.returncode not in wanted:
            raise Failed("s3seal %s: exit %s, wanted %s\n%s" % (
                " ".join(arguments), process.returncode, " or ".join(map(str, wanted)), _text(stderr)))
        return Done(process.returncode, stdout, stderr.decode(errors="replace"))

    def put(self, content, name, *options, exit=0, **changes):
        """Stores `content` from a file of its own under the key `name`."""
        path = self.file(content)
        return self.run("put", *options, path, self.uri(name), exit=exit, **changes)

    def get(self, name, *options, exit=0, **changes):
        """The object `name` as a file; the content, or None where the tool (rightly) failed."""
        path = os.path.join(self.folder, "fetched")
        if os.path.exists(path):
            os.remove(path)
        done = self.run("get", *options, self.uri(name), path, exit=exit, **changes)
        if done.exit != 0:
            if os.path.exists(path):
                raise Failed("s3seal get failed with exit %d and left a file" % done.exit)
            return None
        with open(path, "rb") as file:
            return file.read()

    def uri(self, name):
        """The object's s3:// address."""
        return "s3://%s/%s" % (self.peer.bucket, name)

    def file(self, content, name="source", mode=0o644):
        """A file with this content in the case's folder; its path."""
        path = os.path.join(self.folder, name)
        if os.path.exists(path):
            os.remove(path)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        return path

    def key_file(self, key, name="key"):
        """A key file as s3seal wants it: readable by its owner alone."""
        return self.file(key, name, 0o600)

    def aws(self, *arguments):
        """Runs the aws cli against the same peer and fails unless it succeeds.

        Rarely its interpreter crashes (SIGSEGV), which says nothing of what it was to read: then, and
        only then, it is run a second time.
        """
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-m", "awscli", *arguments], env=self.environment(), cwd=self.folder,
                stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS,
            )
            if done.returncode != -signal.SIGSEGV:
                break
            print("       aws %s crashed" % " ".join(arguments), file=sys.stderr, flush=True)
        if done.returncode != 0:
            raise Failed("aws %s: exit %d\n%s" % (" ".join(arguments), done.returncode, _text(done.stderr)))
        return done.stdout

    def rclone(self, *arguments):
        """Runs rclone against the same peer; what it wrote to standard output, and to standard error."""
        told = self.environment(RCLONE_CONFIG=os.devnull)
        told |= {
            "RCLONE_CA_CERT": told["AWS_CA_BUNDLE"], "RCLONE_S3_PROVIDER": "Other", "RCLONE_S3_ENV_AUTH": "true",
            "RCLONE_S3_ENDPOINT": told["AWS_ENDPOINT_URL_S3"], "RCLONE_S3_REGION": told["AWS_REGION"],
            "RCLONE_S3_FORCE_PATH_STYLE": "true",
        }
        done = subprocess.run(
            [os.path.join(os.path.dirname(sys.executable), "rclone"), *arguments], env=told, cwd=self.folder,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS,
        )
        if done.returncode != 0:
            raise Failed("rclone %s: exit %d\n%s" % (" ".join(arguments), done.returncode, _text(done.stderr)))
        return done.stdout, done.stderr


def _text(stderr):
    return "".join("    " + line + "\n" for line in stderr.decode(errors="replace").splitlines()[-20:])
