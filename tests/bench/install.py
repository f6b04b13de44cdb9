"""Finds or installs the tools: pinned from the package index, age from the system.

Why: a new machine has Python and a package index. The real programs are run,
not the wrappers that the wheels put in front of them.
Not here: what they are asked to do (tools.py).
"""

import glob
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("S3SEAL_BENCH_CACHE", os.path.join(HERE, ".cache"))


def everything(wanted):
    """The paths of all tools by the names that the commands use, and what is missing, by tool."""
    missing = {}
    paths = {"S3SEAL": os.environ.get("S3SEAL_BIN") or _built("s3seal")}
    loop = os.environ.get("SDK_LOOP_BIN") or _bench("sdk_loop")
    if loop:
        paths["SDK_LOOP"] = loop
    else:
        missing["sdk loop"] = "build it: cargo bench --no-run --bench sdk_loop"
    transfer = _environment("transfer")
    paths["AWS"] = os.path.join(transfer, "bin", "aws")
    paths["RCLONE"] = os.path.join(transfer, "bin", "rclone")
    paths["S5CMD"] = glob.glob(os.path.join(transfer, "lib", "*", "site-packages", "s5cmd", "bin", "s5cmd"))[0]
    if not wanted or any(tool.startswith("aws-encryption-cli") for tool in wanted):
        paths["ESDK_CLI"] = os.path.join(_environment("encryption"), "bin", "aws-encryption-cli")
    if not wanted or {"boto3 in 32 threads", "AWS CRT"} & set(wanted):
        paths["BOTO3"] = os.path.join(_environment("encryption"), "bin", "python")
    if not shutil.which("age"):
        missing["age | aws cli"] = "age is not installed"
    return paths, missing


def versions(paths):
    """What each program says of itself, by tool."""
    asked = {
        "s3seal": [paths["S3SEAL"], "--version"],
        "s5cmd": [paths["S5CMD"], "version"],
        "rclone": [paths["RCLONE"], "version"],
        "aws cli": [paths["AWS"], "--version"],
        "age": ["age", "--version"],
    }
    if "ESDK_CLI" in paths:
        asked["aws-encryption-cli"] = [paths["ESDK_CLI"], "--version"]
    return {name: _first_line(command) for name, command in asked.items() if shutil.which(command[0])}


def _first_line(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else "?"


def target():
    """The folder that cargo builds into."""
    return os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))


def _built(name):
    path = os.path.join(target(), "release", name)
    if not os.path.exists(path):
        raise SystemExit("bench: %s is not there; run: cargo build --release --workspace" % os.path.relpath(path))
    return path


def sandbox():
    """The path of the test server."""
    return os.environ.get("SANDBOX_BIN") or _built("s3seal-sandbox")


def _bench(name):
    """The newest program that cargo has built of a bench target."""
    found = glob.glob(os.path.join(target(), "release", "deps", name + "-*"))
    found = [path for path in found if "." not in os.path.basename(path)]
    return max(found, key=os.path.getmtime, default=None)


def _environment(name):
    """Makes a pinned Python environment unless it is there as wanted; its folder."""
    wanted = os.path.join(HERE, "requirements", name + ".txt")
    with open(wanted, "rb") as file:
        state = hashlib.sha256(file.read()).hexdigest() + " " + sys.executable
    folder = os.path.join(CACHE, name)
    stamp = os.path.join(folder, "complete")
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == state:
                return folder
    print("bench: installing %s" % os.path.relpath(folder), file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    pip = [os.path.join(folder, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", folder], pip + ["--requirement", wanted]):
        if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode != 0:
            raise SystemExit("bench: failed: %s" % " ".join(command))
    with open(stamp, "w") as file:
        file.write(state)
    return folder
