"""`s3seal cleanup` on other servers: what boto3 began and left, and an instruction file whose object boto3 deleted.

Why: listing uploads, their parts and conditional deletes differ from server to server.
Not here: what stays and why (tests/cleanup), which needs a clock that can be turned.
"""

import json

import modes
from bench import MIB, content
from checks import add, equal

CLEANUP = ("--older-than", "0s", "--yes", "--json")


def uploads_and_files(b):
    """Of two uploads and two instruction files those below the prefix that serve nothing go, and nothing else."""
    folder = b.name + "/"
    begun = b.s3.create_multipart_upload(**b.where(folder + "a b"))["UploadId"]
    b.s3.upload_part(**b.where(folder + "a b"), UploadId=begun, PartNumber=1, Body=content(5 * MIB))
    b.s3.create_multipart_upload(**b.where(b.name + "-other"))
    key = b.tool.key_file(modes.CUSTOMER_KEY)
    for name in ("gone", "here"):
        b.tool.put(content(1000), folder + name, "--key", key, "--instruction-file")
    b.s3.delete_object(**b.where(folder + "gone"))
    said = b.tool.run("cleanup", b.tool.uri(folder), *CLEANUP).stdout
    found = [json.loads(line) for line in said.splitlines()]
    summary = found.pop()["summary"]
    equal("kinds", sorted(one["kind"] for one in found), ["instruction_file", "upload"])
    equal("states", [one["state"] for one in found], ["removed", "removed"])
    upload = [one for one in found if one["kind"] == "upload"][0]
    equal("the upload", (upload["uri"], upload["upload_id"], upload["bytes"]), (b.tool.uri(folder + "a b"), begun, 5 * MIB))
    equal("removed", summary["removed"], 2)
    left = b.s3.list_multipart_uploads(Bucket=b.bucket, Prefix=b.name).get("Uploads", [])
    equal("uploads left", [one["Key"] for one in left], [b.name + "-other"])
    kept = b.s3.list_objects_v2(Bucket=b.bucket, Prefix=folder)["Contents"]
    equal("objects left", sorted(one["Key"] for one in kept), [folder + "here", folder + "here.instruction"])
    equal("what opens still", b.tool.get(folder + "here", "--key", key), content(1000))
    b.tool.run("cleanup", b.tool.uri(b.name + "-other"), *CLEANUP)
    equal("uploads at the end", b.s3.list_multipart_uploads(Bucket=b.bucket, Prefix=b.name).get("Uploads", []), [])


for _peer in ("localstack", "seaweedfs"):
    add("cleanup/uploads-and-files", _peer, uploads_and_files)
