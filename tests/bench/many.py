"""The jobs about many objects: their keys changed within S3, and a look at each of them.

Why apart: one run is over thousands of objects, so objects per second count, and
a tool that would take minutes gets fewer of them. Before each run that changes
keys everything is put back to where it started, which is not timed.
Not here: how a command is run (measure.py), what the table looks like (table.py).

In a command, $MANY is s3://BUCKET/PREFIX with as many objects as the tool gets.
"""

import collections
import os
import sys

import install
import measure
import tools
from server import BUCKET

LEN = 64 << 10
GROUPS = [
    ("many objects, other keys", ["rotate/sse-c", "rotate/sse-kms"]),
    ("many objects, a look at each", ["inspect/many"]),
]
# Fewer for those who would take more than a minute for all.
FEW = {"aws cli": 1000, "aws s3api in a loop": 20}

COMMANDS = {
    "s3seal": {
        "rotate/sse-c": "$S3SEAL rotate -q $MANY/ --sse-c-key $KEYS/aes2 --from-sse-c-key $KEYS/aes --yes",
        "rotate/sse-kms": "$S3SEAL rotate -q $MANY/ -e sse-kms --kms-key $KMS_ARN --yes",
        "inspect/many": "$S3SEAL inspect -q $MANY/ --format ndjson > /dev/null",
    },
    "s5cmd": {
        "rotate/sse-kms": "$S5CMD --log error cp --sse aws:kms --sse-kms-key-id $KMS_ARN $MANY/'*' $MANY/",
    },
    "aws cli": {
        "rotate/sse-c": "$AWS s3 cp --only-show-errors --recursive --sse-c AES256 --sse-c-key fileb://$KEYS/aes2"
                        " --sse-c-copy-source AES256 --sse-c-copy-source-key fileb://$KEYS/aes $MANY $MANY",
        "rotate/sse-kms": "$AWS s3 cp --only-show-errors --recursive --sse aws:kms --sse-kms-key-id $KMS_ARN $MANY $MANY",
    },
    "boto3 in 32 threads": {
        "inspect/many": "$BOTO3 $BENCH/head_all.py $MANY > /dev/null",
    },
    "aws s3api in a loop": {
        "inspect/many": 'for key in $("$AWS" s3api list-objects-v2 --bucket ${MANY:5:5} --prefix ${MANY:11}/'
                        " --query 'Contents[].Key' --output text); do"
                        " $AWS s3api head-object --bucket ${MANY:5:5} --key $key || exit; done > /dev/null",
    },
}
# What every object is before a run, and what a run must have made of it.
BEFORE = {
    "rotate/sse-c": ("--sse-c-key $KEYS/aes --from-sse-c-key $KEYS/aes2", "sse-c"),
    "rotate/sse-kms": ("-e sse-s3 --from-sse-c-key $KEYS/aes --from-sse-c-key $KEYS/aes2", "sse-kms"),
    "inspect/many": None,
}
for name, jobs in COMMANDS.items():
    tools.COMMANDS.setdefault(name, {}).update(jobs)


def groups(work, chosen, wanted):
    """Runs the jobs that `wanted` says yes to, in turns; the results as main.py has them, with counts."""
    results = []
    stored = False
    for name, jobs in GROUPS:
        jobs = [job for job in jobs if wanted(job)]
        result = {"group": name, "jobs": {}, "counts": {}, "load": [os.getloadavg()[0]], "failed": {}}
        if jobs and not stored:
            _store(work)
            stored = True
        for job in jobs:
            result["jobs"][job] = _job(job, [tool for tool in chosen if job in COMMANDS.get(tool, {})], work, result)
        result["load"].append(os.getloadavg()[0])
        results.append(result)
    return results


def _job(job, able, work, result):
    costs = collections.defaultdict(list)
    for _ in range(work.asked.rounds):
        for tool in able:
            if tool in result["failed"]:
                continue
            count = _count(tool, work)
            env = _environment(count, work)
            _put_back(job, env)
            cost = measure.run(COMMANDS[tool][job], env)
            failed = cost.failed or _wrong(job, count, env)
            if failed:
                result["failed"][tool] = "%s: %s" % (job, failed)
                print("  %-20s %-18s %s" % (tool, job, failed), file=sys.stderr, flush=True)
                continue
            print("  %-20s %-18s %7.2f s, %d objects, %6.0f a second, %4.0f MiB"
                  % (tool, job, cost.wall, count, count / cost.wall, cost.rss_mib), file=sys.stderr, flush=True)
            costs[tool].append(cost)
            result["counts"][tool] = count
    return {tool: measure.summary(list_) for tool, list_ in costs.items()}


def _count(tool, work):
    return min(work.asked.objects, FEW.get(tool, work.asked.objects))


def _environment(count, work):
    state = os.path.join(work.environment["WORK"], "state")
    more = {"MANY": "s3://%s/many-%d" % (BUCKET, count), "XDG_STATE_HOME": state, "BENCH": install.HERE}
    return work.environment | more


def _store(work):
    """Stores as many objects as each tool gets, below a prefix of its own, and makes the second key."""
    key = os.path.join(work.keys, "aes2")
    with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
        file.write(os.urandom(32))
    for count in sorted({_count(tool, work) for tool in COMMANDS}):
        folder = os.path.join(work.environment["WORK"], "many-%d" % count)
        os.makedirs(folder)
        first = os.path.join(folder, "00000")
        with open(first, "wb") as file:
            file.write(os.urandom(LEN))
        for number in range(1, count):
            os.link(first, os.path.join(folder, "%05d" % number))
        env = work.environment | {"FOLDER": folder, "TO": "s3://%s/many-%d/" % (BUCKET, count)}
        _must("$S5CMD --log error cp $FOLDER/ $TO", env)


def _put_back(job, env):
    if BEFORE[job]:
        _must("$S3SEAL rotate -q $MANY/ %s --yes" % BEFORE[job][0], env)


def _wrong(job, count, env):
    """Why not every object is what it should be; nothing if it is."""
    if not BEFORE[job]:
        return None
    mode = BEFORE[job][1]
    # Under the old key an object would show its mode, but not open.
    keys = "--sse-c-key $KEYS/aes2" if mode == "sse-c" else ""
    look = "$S3SEAL inspect -q $MANY/ %s --expect %s --format ndjson | grep -c '\"mode\":\"%s\"'" % (keys, mode, mode)
    seen = measure.run("test $(%s) -ge %d" % (look, count), env)
    return "not every object is %s afterwards: %s" % (mode, seen.failed) if seen.failed else None


def _must(command, env):
    done = measure.run(command, env)
    if done.failed:
        raise SystemExit("bench: %s: %s" % (command, done.failed))
