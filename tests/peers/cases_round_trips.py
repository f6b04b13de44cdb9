"""What s3seal stores comes back the same, through s3seal and through boto3, in every mode.

Why: the main job on real servers: both ways in, both ways out, and the sizes
around which requests change.
Not here: objects that others wrote (cases_others.py), refusals (cases_refusals.py).
"""

import os

import modes
from bench import MIB, content
from checks import add, case, equal, true

PART = 5 * MIB
SIZES = [
    ("empty", 0),
    ("one-byte", 1),
    ("part-less-one", PART - 1),
    ("part", PART),
    ("part-and-one", PART + 1),
    ("four-parts", 4 * PART),
]


def round_trip(b, mode, size, stream):
    """Stores with s3seal, looks with boto3, fetches with both."""
    plain = content(size)
    options = ["--part-size", "5MiB", *mode.seal(b)]
    if stream:
        b.tool.run("put", *options, "-", b.tool.uri(b.name), stdin=plain)
    else:
        b.tool.put(plain, b.name, *options)
    reading = mode.boto_read(b)
    head = b.head(**reading)
    equal("size", head["ContentLength"], size)
    for field, wanted in mode.head(b).items():
        equal("HEAD's " + field, head.get(field), wanted)
    equal("what boto3 reads", b.read(**reading), plain)
    if stream:
        fetched = b.tool.run("get", *mode.unseal(b), b.tool.uri(b.name), "-").stdout
    else:
        fetched = b.tool.get(b.name, *mode.unseal(b))
    equal("what s3seal reads", fetched, plain)
    equal("uploads left behind", b.uploads(), [])


def _register(peer, mode, label, size, stream):
    name = "round-trip/%s/%s/%s" % (mode.name, label, "stream" if stream else "file")
    add(name, peer, lambda b: round_trip(b, mode, size, stream))


for _peer, _modes in modes.MAIN.items():
    for _mode in _modes:
        for _label, _size in SIZES:
            _register(_peer, _mode, _label, _size, stream=False)
            _register(_peer, _mode, _label, _size, stream=True)
for _peer, _modes in modes.VARIANTS.items():
    for _mode in _modes:
        _register(_peer, _mode, "one-byte", 1, stream=False)
        _register(_peer, _mode, "four-parts", 4 * PART, stream=True)


def stored_encrypted(b, mode, encrypted):
    """Looks for the plaintext in the files that the server keeps."""
    plain = content(MIB)
    b.tool.put(plain, b.name, *mode.seal(b))
    # Made by the run itself, so that what an earlier case left is not found.
    marker = plain[MIB // 2:MIB // 2 + 64]
    equal("plaintext found on the server's disk", _found(b.peer.data_folder, marker), not encrypted)


def _found(folder, marker):
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                if marker in file.read():
                    return True
    return False


@case("at-rest/ciphertext-in-every-mode-and-plaintext-in-none", "seaweedfs")
def at_rest(b):
    """SeaweedFS really encrypts: the last step proves that the search would find what is not."""
    for mode in (modes.SSE_S3, modes.SSE_KMS, modes.SSE_C):
        stored_encrypted(b, mode, encrypted=True)
    stored_encrypted(b, modes.NONE, encrypted=False)


@case("attributes/reach-the-object", "localstack")
def attributes(b):
    """Everything put can say about an object beside its encryption."""
    b.tool.put(
        b"x", b.name, "-e", "sse-s3", "--metadata", "origin=cron job", "--tag", "team=blue", "--tag", "tier=1",
        "--content-type", "text/x-peers", "--storage-class", "STANDARD_IA", "--cache-control", "no-store",
        "--content-encoding", "identity", "--content-disposition", "attachment; filename=\"x\"",
    )
    head = b.head()
    metadata = dict(head["Metadata"])
    true("the modification time is there", metadata.pop("mtime", None))
    equal("metadata", metadata, {"origin": "cron job"})
    for field, wanted in {
        "ContentType": "text/x-peers", "StorageClass": "STANDARD_IA", "CacheControl": "no-store",
        "ContentEncoding": "identity", "ContentDisposition": "attachment; filename=\"x\"",
    }.items():
        equal(field, head.get(field), wanted)
    tags = b.s3.get_object_tagging(**b.where())["TagSet"]
    equal("tags", {one["Key"]: one["Value"] for one in tags}, {"team": "blue", "tier": "1"})


@case("attributes/content-type-is-guessed-from-the-name", "localstack")
def guessed(b):
    """The file's name, as with other S3 tools."""
    b.tool.run("put", "-e", "sse-s3", b.tool.file(b"{}", "facts.json"), b.tool.uri(b.name))
    equal("content type", b.head()["ContentType"], "application/json")


@case("range/middle-of-an-object", "localstack")
def middle(b):
    """Both ends are inclusive, as in HTTP."""
    plain = content(3 * MIB)
    b.tool.put(plain, b.name, "-e", "sse-s3")
    equal("range", b.tool.get(b.name, "--range", "1000-1999999"), plain[1000:2000000])


@case("version/an-older-one-by-its-id", "localstack")
def version(b):
    """A bucket of its own, so that no other case meets versions."""
    bucket = "peers-versions"
    b.s3.create_bucket(Bucket=bucket)
    b.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for plain in (b"old", b"new"):
        b.tool.run("put", "-e", "sse-s3", b.tool.file(plain), "s3://%s/k" % bucket)
    listed = b.s3.list_object_versions(Bucket=bucket)["Versions"]
    old = next(one["VersionId"] for one in listed if not one["IsLatest"])
    equal("old version", b.tool.run("get", "--version-id", old, "s3://%s/k" % bucket, "-").stdout, b"old")
    equal("current version", b.tool.run("get", "s3://%s/k" % bucket, "-").stdout, b"new")


@case("keys/awkward-names-survive", "localstack")
def awkward(b):
    """Names that need escaping in a URL or look like a path that climbs."""
    for tail in ("a b+c", "ünïcödé/☃", "100%25", "a//b", "q?x=1&y#z", "../up"):
        name = b.name + "/" + tail
        b.tool.put(tail.encode(), name, "-e", "sse-s3")
        true("listed under its own name: " + tail, b.exists(name))
        equal(tail, b.tool.run("get", b.tool.uri(name), "-").stdout, tail.encode())


@case("connection/path-style-by-host-name", "localstack")
def path_style(b):
    """A host name makes SDKs put the bucket before it; --path-style keeps it behind."""
    url = b.peer.url.replace("127.0.0.1", "localhost")
    b.tool.put(b"x", b.name, "-e", "sse-s3", "--path-style", "--endpoint-url", url, AWS_ENDPOINT_URL_S3=None)
    equal("content", b.read(), b"x")


@case("connection/ca-bundle-as-an-option", "localstack")
def ca_option(b):
    """The option stands in for the variable."""
    b.tool.put(b"x", b.name, "-e", "sse-s3", "--ca-bundle", b.peer.ca, AWS_CA_BUNDLE=None)
    equal("content", b.read(), b"x")
