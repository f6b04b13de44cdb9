"""s3seal reads what boto3 and the aws cli wrote, the aws cli reads what s3seal wrote, and rclone finds it unchanged.

Why: nobody may need s3seal to get their data back, nor have written it with it.
Not here: boto3 reading s3seal's objects: every round trip does that (cases_round_trips.py).
"""

import io
import json
import os
import time

from boto3.s3.transfer import TransferConfig
from botocore.session import get_session
from botocore.validate import ParamValidator

import modes
from bench import MIB, content
from checks import add, equal

# Over the aws cli's and boto3's 8 MiB parts: three of theirs, four of ours.
LARGE = 20 * MIB + 17
SMALL = 1000


def boto3_wrote(b, mode, size):
    """One PUT, or a multipart upload where the size asks for it."""
    plain = content(size)
    b.s3.upload_fileobj(io.BytesIO(plain), b.bucket, b.name, ExtraArgs=mode.boto(b),
                        Config=TransferConfig(use_threads=False))
    equal("what s3seal reads", b.tool.get(b.name, *mode.unseal(b)), plain)


def boto3_wrote_and_inspect_tells(b, mode):
    """What `inspect` says of an object that boto3 stored."""
    b.s3.put_object(**b.where(), Body=content(SMALL), **mode.boto(b))
    said = json.loads(b.tool.run("inspect", b.tool.uri(b.name), "--format", "json", *mode.unseal(b)).stdout)
    equal("mode", said["encryption"]["mode"], "sse-s3" if mode.name == "none" else mode.name)
    equal("plain bytes", said["bytes"], SMALL)


def aws_cli_wrote(b, mode, size):
    """`aws s3 cp` upward."""
    plain = content(size)
    b.tool.aws("s3", "cp", "--no-progress", *mode.cli(b), b.tool.file(plain), b.tool.uri(b.name))
    equal("what s3seal reads", b.tool.get(b.name, *mode.unseal(b)), plain)


def aws_cli_reads(b, mode, size):
    """`aws s3 cp` downward: parallel ranges where the size asks for it; and one `aws s3api get-object`."""
    plain = content(size)
    b.tool.put(plain, b.name, "--part-size", "5MiB", *mode.seal(b))
    path = os.path.join(b.folder, "fetched-by-aws")
    b.tool.aws("s3", "cp", "--no-progress", *mode.cli_read(b), b.tool.uri(b.name), path)
    _holds("aws s3 cp", path, plain)
    customer = []
    if mode is modes.SSE_C:
        customer = ["--sse-customer-algorithm", "AES256", "--sse-customer-key", "fileb://" + b.tool.key_file(modes.CUSTOMER_KEY)]
    b.tool.aws("s3api", "get-object", "--bucket", b.bucket, "--key", b.name, *customer, path)
    _holds("aws s3api get-object", path, plain)


def aws_cli_takes_the_batch_job(b):
    """What `rotate --batch --dry-run` prints is a CreateJob of S3 Control's own model, which the aws cli checks it by."""
    said = b.tool.run("rotate", "s3://%s/db/" % b.bucket, "--batch", "--dry-run", "--only", "kms:" + b.peer.key.arn,
                      "--batch-role", "arn:aws:iam::111122223333:role/batch", "--include", "*.sql",
                      "-e", "sse-kms", "--kms-key", b.peer.key.arn)
    # The cli makes the token itself.
    job = {**json.loads(said.stdout), "ClientRequestToken": "t"}
    model = get_session().get_service_model("s3control").operation_model("CreateJob").input_shape
    equal("what botocore finds wrong", ParamValidator().validate(job, model).generate_report(), "")


def aws_cli_sees_no_change(b):
    """`aws s3 sync` has nothing to do after `put -r` and `get -r`, nor `put --update` after `aws s3 sync`."""
    tree, copy = os.path.join(b.folder, "tree"), os.path.join(b.folder, "copy")
    ours, theirs = b.tool.uri(b.name + "/ours/"), b.tool.uri(b.name + "/theirs/")
    an_hour_ago = time.time() - 3600
    for name, size in (("a", 10), ("a-b", 0), ("a.d/e", SMALL)):
        path = os.path.join(tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content(size))
        os.utime(path, (an_hour_ago, an_hour_ago))
    b.tool.run("put", "-r", tree, ours)
    equal("what aws would store", b.tool.aws("s3", "sync", "--dryrun", tree, ours), b"")
    b.tool.run("get", "-r", ours, copy)
    equal("what aws would fetch", b.tool.aws("s3", "sync", "--dryrun", ours, copy), b"")
    b.tool.aws("s3", "sync", "--no-progress", tree, theirs)
    for target in (ours, theirs):
        said = b.tool.run("put", "-r", "--update", "--json", tree, target).stdout
        summary = json.loads(said)["summary"]
        equal("what s3seal stores", (summary["objects"], summary["unchanged"]), (0, 3))


def rclone_sees_no_change(b):
    """`rclone check` and `rclone sync` find nothing to do after `put -r` and `get -r`, with contents and times compared."""
    tree, copy = os.path.join(b.folder, "tree"), os.path.join(b.folder, "copy")
    ours, theirs = b.name + "/ours", b.name + "/theirs"
    an_hour_ago = time.time() - 3600
    names = {"a": 10, "a-b": 0, "a.d/e": SMALL, "large": LARGE}
    for name, size in names.items():
        path = os.path.join(tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content(size))
        os.utime(path, (an_hour_ago, an_hour_ago))
    remote = ":s3:%s/" % b.bucket
    b.tool.run("put", "-r", tree, b.tool.uri(ours + "/"))
    b.tool.run("get", "-r", b.tool.uri(ours + "/"), copy)
    for local in (tree, copy):
        rows, _ = b.tool.rclone("check", local, remote + ours, "--combined", "-")
        equal("what rclone finds", sorted(rows.decode().splitlines()), sorted("= " + name for name in names))
        _, said = b.tool.rclone("sync", "--dry-run", local, remote + ours)
        equal("what rclone would store", [line for line in said.decode().splitlines() if "Skipped" in line], [])
    b.tool.rclone("copy", tree, remote + theirs)
    summary = json.loads(b.tool.run("put", "-r", "--update", "--json", tree, b.tool.uri(theirs + "/")).stdout)["summary"]
    equal("what s3seal stores", (summary["objects"], summary["unchanged"]), (0, len(names)))


def _holds(who, path, plain):
    with open(path, "rb") as file:
        equal("what %s reads" % who, file.read(), plain)


def _register(name, peer, body, mode, size):
    add(name, peer, lambda b: body(b, mode, size))


for _peer in ("localstack", "seaweedfs"):
    for _mode in modes.MAIN[_peer]:
        for _label, _size in (("small", SMALL), ("large", LARGE)):
            _register("boto3-wrote/%s/%s" % (_mode.name, _label), _peer, boto3_wrote, _mode, _size)
            _register("aws-cli-wrote/%s/%s" % (_mode.name, _label), _peer, aws_cli_wrote, _mode, _size)
            _register("aws-cli-reads/%s/%s" % (_mode.name, _label), _peer, aws_cli_reads, _mode, _size)

add("sync/aws-cli-sees-no-change", "sandbox", aws_cli_sees_no_change)
add("sync/rclone-sees-no-change", "sandbox", rclone_sees_no_change)
add("batch/aws-cli-takes-the-job", "sandbox", aws_cli_takes_the_batch_job)

for _mode in modes.MAIN["localstack"]:
    add("boto3-wrote/%s/inspected" % _mode.name, "localstack",
        lambda b, _mode=_mode: boto3_wrote_and_inspect_tells(b, _mode))
