"""An object with everything that S3 keeps beside its bytes, and what of that is there after a rotation.

Why: a rotation is to change the encryption and nothing else, and whether it did
must be seen by somebody else's client.
Not here: the rotations (cases_rotate*.py).
"""

import datetime
import json
import urllib.parse

from checks import equal

# What boto3 stores beside the bytes, and what HEAD then says of it.
BELONGINGS = {
    "Metadata": {"owner": "me", "with-dash": "a, b; c=\"d\""},
    "ContentType": "text/x-life",
    "CacheControl": "no-cache, max-age=7",
    "ContentEncoding": "gzip",
    "ContentDisposition": 'attachment; filename="life.gz"',
    "ContentLanguage": "de, fr",
    "StorageClass": "STANDARD_IA",
    "WebsiteRedirectLocation": "/elsewhere",
}
TAGS = {"team": "red + blue/green", "tier": "1"}
# Apart from these: LocalStack loses it when it copies.
EXPIRES = datetime.datetime(2041, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
# The same, for s3seal put: without what it has no flag for.
FLAGS = [
    "--metadata", "owner=me", "--metadata", 'with-dash=a, b; c="d"', "--content-type", "text/x-life",
    "--cache-control", "no-cache, max-age=7", "--content-encoding", "gzip",
    "--content-disposition", 'attachment; filename="life.gz"', "--storage-class", "STANDARD_IA",
    "--tag", "team=red + blue/green", "--tag", "tier=1",
]
HEADERS = [*(name for name in BELONGINGS if name != "Metadata"), "Expires", "ObjectLockMode", "ObjectLockRetainUntilDate",
           "ObjectLockLegalHoldStatus"]
# Where the client-side formats keep their envelopes.
ENVELOPE = ("x-amz-", "s3seal-")


def store(b, plain, **more):
    """Stores `plain` with all belongings, by boto3."""
    b.s3.put_object(**b.where(), Body=plain, Tagging=urllib.parse.urlencode(TAGS), **BELONGINGS, **more)


def beside(b, name=None, **reading):
    """Everything beside the bytes and their encryption, as boto3 sees it."""
    head = b.head(name, **reading)
    seen = {header: head[header] for header in HEADERS if header in head}
    seen["Metadata"] = {entry: value for entry, value in head["Metadata"].items() if not entry.startswith(ENVELOPE)}
    tags = b.s3.get_object_tagging(**b.where(name))["TagSet"]
    seen["tags"] = {one["Key"]: one["Value"] for one in tags}
    acl = b.s3.get_object_acl(**b.where(name))
    # A grantee's display name is there or not as the server likes.
    seen["grants"] = sorted((one["Grantee"].get("ID") or one["Grantee"]["URI"], one["Permission"]) for one in acl["Grants"])
    return seen


def checksums(b, **reading):
    """The checksums that S3 keeps."""
    head = b.head(ChecksumMode="ENABLED", **reading)
    return {field: value for field, value in head.items() if field.startswith("Checksum")}


def rotate(b, *options, name=None, exit=0):
    """Rotates the case's object; the outcome, or what was said where that is a failure."""
    done = b.tool.run("rotate", b.tool.uri(name or b.name), "--yes", "--json", "--part-size", "5MiB", *options, exit=exit)
    equal("uploads left behind", b.uploads(), [])
    return json.loads(done.stdout) if done.exit == 0 else done


def keys(b, prefix):
    """The keys of all objects below a prefix."""
    listed = b.s3.list_objects_v2(Bucket=b.bucket, Prefix=prefix)
    return sorted(one["Key"] for one in listed.get("Contents", []))
