"""The run: prepares files, keys and server, takes turns among the tools, hands the numbers on.

Why turns: what else the machine does then hits all alike. Within a turn a tool
stores its object and fetches it again; the next tool overwrites it.
Not here: commands (tools.py), what the table looks like (table.py).
"""

import argparse
import datetime
import filecmp
import fnmatch
import glob
import os
import platform
import shutil
import subprocess
import sys
import tempfile

import install
import many
import measure
import summary
import table
import tools
from server import BUCKET, Server

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
# What is stored together and fetched again, in this order.
GROUPS = [
    ("one object", ["put/none", "get/none"]),
    ("SSE-KMS", ["put/sse-kms", "get/sse-kms"]),
    ("SSE-C", ["put/sse-c", "get/sse-c"]),
    ("sealed by the client", ["put/client", "get/client"]),
    ("standard input and output", ["put/stdin", "get/stdout"]),
    ("sealed by the client, standard input and output", ["put/client-stdin", "get/client-stdout"]),
    ("many small files", ["put/many", "put/unchanged", "get/many"]),
    ("a wide-area link", ["put/wan", "get/wan"]),
    ("cold start", ["get/one-byte"]),
]
MANY_SIZE, WAN_SIZE = 64 << 10, 256 << 20


def run(arguments):
    """Does what the command line says; the exit code."""
    asked = _arguments(arguments)
    named = asked.tools.split(",") if asked.tools else list(tools.COMMANDS)
    unknown = set(named) - set(tools.COMMANDS)
    if unknown:
        raise SystemExit("bench: no such tool: %s (see --list)" % ", ".join(sorted(unknown)))
    chosen = [tool for tool in tools.COMMANDS if tool in named]
    if asked.list:
        for tool in chosen:
            print(tool + ":", *sorted(tools.COMMANDS[tool]))
        return 0
    paths, missing = install.everything(chosen)
    chosen = [tool for tool in chosen if tool not in missing]
    folder = tempfile.mkdtemp(prefix="s3seal-bench-", dir=asked.folder)
    try:
        server = Server(folder)
        try:
            work = Work(folder, asked, paths, server)
            results = [_group(name, jobs, chosen, work) for name, jobs in GROUPS]
            results += many.groups(work, chosen, lambda job: _wanted(job, asked.only))
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
    facts = _facts(asked, paths, missing, arguments)
    results = [result for result in results if result["jobs"]]
    table.write(asked.out, facts, results)
    if asked.readme:
        summary.write(facts, results)
    return 0


def _arguments(arguments):
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("--size", type=_size, default=1 << 30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--objects", type=int, default=10000, help="how many, in the jobs about many")
    parser.add_argument("--files", type=int, default=1000, help="how many, in the jobs about small files")
    parser.add_argument("--link", default="40ms,8MB/s", help="round trip and rate of a connection, in the jobs over a link")
    parser.add_argument("--only", default="*", help="jobs that match, such as 'put/*'; several with commas")
    parser.add_argument("--tools", help="names with commas, as --list shows them")
    parser.add_argument("--folder", default=_roomy(), help="where files and the server's bodies are")
    parser.add_argument("--sparse", action="store_true", help="a file of zeros that takes no room")
    parser.add_argument("--out", default=os.path.join(install.target(), "bench"))
    parser.add_argument("--readme", action="store_true", help="write the tables of README.md and man/s3seal-benchmarks.7.md too")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args(arguments)


def _size(text):
    for unit, bytes_ in UNITS.items():
        if text.endswith(unit):
            return int(text.removesuffix(unit)) * bytes_
    return int(text)


def _roomy():
    """Memory rather than a disk, whose speed is not the question."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()


class Work:
    """Files, keys and the environment of the commands."""

    def __init__(self, folder, asked, paths, server):
        self.asked, self.server = asked, server
        self.file = os.path.join(folder, "file")
        self.tiny = os.path.join(folder, "tiny")
        self.wan = os.path.join(folder, "wan")
        self.small = os.path.join(folder, "small")
        self.dest = os.path.join(folder, "dest")
        self.keys = os.path.join(folder, "keys")
        os.makedirs(self.keys, mode=0o700)
        os.makedirs(self.small)
        _fill(self.file, asked.size, asked.sparse)
        _fill(self.tiny, 1)
        if any(_wanted(job, asked.only) for job in ("put/many", "put/unchanged", "get/many")):
            for number in range(asked.files):
                _fill(os.path.join(self.small, "%06d" % number), MANY_SIZE)
        if any(_wanted(job, asked.only) for job in ("put/wan", "get/wan")):
            _fill(self.wan, min(WAN_SIZE, asked.size))
        arn = server.encrypt_by_default(paths["AWS"])
        self._make_keys(paths["RCLONE"])
        env = tools.environment(os.environ, server.environment, paths, folder, self.keys, asked.size)
        env |= {"BENCH": install.HERE, "KMS_ARN": arn, "SMALL": self.small, "DEST": self.dest} | self.secrets
        # The Encryption SDK's cli finds KMS by the same endpoint.
        self.environment = env | {"REQUESTS_CA_BUNDLE": server.environment["AWS_CA_BUNDLE"]}

    def _make_keys(self, rclone):
        import base64
        key = os.urandom(32)
        path = os.path.join(self.keys, "aes")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            file.write(key)
        password = subprocess.run([rclone, "obscure", "benchmark"], check=True, capture_output=True, text=True)
        customer = "--s3-sse-customer-algorithm AES256 --s3-sse-customer-key-base64 "
        self.secrets = {
            "RCLONE_CONFIG_BENCH_PASSWORD": password.stdout.strip(),
            "RCLONE_SSE_C": customer + base64.b64encode(key).decode(),
        }
        if shutil.which("age-keygen"):
            age = os.path.join(self.keys, "age")
            subprocess.run(["age-keygen", "-o", age], check=True, capture_output=True)
            public = subprocess.run(["age-keygen", "-y", age], check=True, capture_output=True, text=True)
            with open(age + ".pub", "w") as file:
                file.write(public.stdout)

    def run(self, tool, job):
        """Runs one command and checks what it has fetched."""
        file = {"get/one-byte": self.tiny, "put/wan": self.wan, "get/wan": self.wan}.get(job, self.file)
        name = job.split("/")[1].replace("out", "in").replace("unchanged", "many")
        env = self.environment | {"FILE": file, "OBJECT": "%s/%s" % (BUCKET, name)}
        if job.endswith("/wan"):
            endpoint = self.server.over(self.asked.link)
            env |= dict.fromkeys(("AWS_ENDPOINT_URL", "S3_ENDPOINT_URL", "RCLONE_S3_ENDPOINT"), endpoint)
        before = self.server.cpu()
        cost = measure.run(tools.COMMANDS[tool][job], env)
        served = self.server.cpu() - before
        failed = cost.failed or self._wrong(job, file)
        for path in glob.glob(glob.escape(self.dest) + "*"):
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        return cost._replace(failed=failed), served

    def _wrong(self, job, file):
        if not job.startswith("get/") or "stdout" in job or job == "get/many":
            return None
        if not os.path.exists(self.dest) or not filecmp.cmp(self.dest, file, shallow=False):
            return "what came down is not what went up"
        return None


def _fill(path, size, sparse=False):
    with open(path, "wb") as file:
        if sparse:
            file.truncate(size)
            return
        while size > 0:
            size -= file.write(os.urandom(min(size, 1 << 20)))


def _wanted(job, patterns):
    return any(fnmatch.fnmatch(job, pattern) for pattern in patterns.split(","))


def _group(name, jobs, chosen, work):
    """Runs a group's jobs in turns; the costs of each tool by job."""
    only = work.asked.only
    wanted = [job for job in jobs if _wanted(job, only)]
    costs = {job: {} for job in wanted}
    result = {"group": name, "jobs": costs, "load": [os.getloadavg()[0]], "failed": {}}
    if not wanted:
        return result
    rounds = work.asked.rounds * (4 if name == "cold start" else 1)
    for number in range(rounds):
        for tool in chosen:
            able = [job for job in jobs if job in tools.COMMANDS[tool]]
            if not any(job in wanted for job in able) or tool in result["failed"]:
                continue
            if jobs == ["get/one-byte"] and number == 0:
                _store_tiny(work)
            for job in able:
                cost, served = work.run(tool, job)
                if cost.failed:
                    result["failed"][tool] = "%s: %s" % (job, cost.failed)
                    print("  %-20s %-18s %s" % (tool, job, cost.failed), file=sys.stderr, flush=True)
                    break
                print("  %-20s %-18s %7.2f s, CPU %6.2f s, %4.0f MiB, server %5.2f s"
                      % (tool, job, cost.wall, cost.cpu, cost.rss_mib, served), file=sys.stderr, flush=True)
                if job in wanted:
                    costs[job].setdefault(tool, []).append(cost)
    result["load"].append(os.getloadavg()[0])
    result["jobs"] = {job: _compared(by_tool) for job, by_tool in costs.items()}
    return result


def _compared(by_tool):
    """The summaries of a job by tool, with ratios to s3seal's costs."""
    own = next((tool for tool in ("s3seal", "s3seal esdk") if tool in by_tool), None)
    return {
        tool: measure.summary(list_, None if tool == own else by_tool.get(own)) for tool, list_ in by_tool.items()
    }


def _store_tiny(work):
    env = work.environment | {"FILE": work.tiny, "OBJECT": BUCKET + "/one-byte"}
    stored = measure.run(tools.COMMANDS["s3seal"]["put/none"], env)
    if stored.failed:
        raise SystemExit("bench: " + stored.failed)


def _facts(asked, paths, missing, arguments):
    """What the numbers depend on."""
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": " ".join(["tests/bench/run"] + arguments),
        "size_mib": asked.size / (1 << 20),
        "rounds": asked.rounds,
        "files": asked.files,
        "link": asked.link,
        "folder": "memory (tmpfs)" if asked.folder.startswith("/dev/shm") else "a disk",
        "machine": "%d × %s, Linux %s" % (os.cpu_count(), models[0] if models else "?", platform.release()),
        "server": "s3seal-sandbox over HTTPS on the same machine",
        "versions": install.versions(paths),
        "missing": missing,
        "commands": {tool: jobs for tool, jobs in tools.COMMANDS.items() if tool not in missing},
    }
