"""What a case works with: its peer, the tool pointed at it, a folder, and content.

Why: every case begins from the same clean place and never meets another's objects.
Not here: running or counting cases (checks.py).
"""

import functools
import random

from tool import Tool

MIB = 1 << 20


class Bench:
    """One case's tools. `name` is an object key that no other case uses."""

    def __init__(self, case, folder, peers):
        self.peers = peers
        self.peer = peers[case.peer.split("+")[0]]
        self.folder = folder
        self.name = "cases/" + case.name
        self.bucket = self.peer.bucket
        self.s3 = self.peer.s3()
        self.tool = Tool(self.peer, folder)

    def where(self, name=None):
        """Bucket and key as boto3 takes them."""
        return {"Bucket": self.bucket, "Key": name or self.name}

    def read(self, name=None, **how):
        """The object's bytes as boto3 gets them."""
        return self.s3.get_object(**self.where(name), **how)["Body"].read()

    def head(self, name=None, **how):
        """What HEAD says of the object."""
        return self.s3.head_object(**self.where(name), **how)

    def exists(self, name=None):
        """Whether a listing shows the object."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=name or self.name)
        return any(one["Key"] == (name or self.name) for one in listed.get("Contents", []))

    def uploads(self):
        """The multipart uploads under the case's key that were neither completed nor aborted."""
        listed = self.s3.list_multipart_uploads(Bucket=self.bucket, Prefix=self.name)
        return [one["UploadId"] for one in listed.get("Uploads", []) if one["Key"] == self.name]


@functools.lru_cache(maxsize=16)
def content(size):
    """`size` bytes that do not repeat, the same in every run."""
    return random.Random(size).randbytes(size)
