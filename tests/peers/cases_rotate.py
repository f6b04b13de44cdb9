"""`rotate` against LocalStack and SeaweedFS: each way that they can, and a clear refusal of what they cannot.

Why: the sandbox is our own idea of a copy within S3. Here others make the copy,
and boto3 looks at everything about the object before and after.
Not here: what the official clients open afterwards (cases_rotate_formats.py).
"""

import datetime
import glob
import json
import os
from collections import namedtuple

import modes
import rotation
from bench import MIB, content
from checks import add, case, equal, true

USAGE, KEY, DISTRUST, SOME = 2, 5, 6, 9
KEY_A, KEY_B, KEY_C = modes.CUSTOMER_KEY, bytes(range(160, 192)), bytes(range(128, 160))

# A state of an object. boto: how boto3 stores it so, or nothing where only s3seal can; put: how s3seal does.
# to: what rotate needs to bring it there; old: what it needs to bring it away; get: what opens it;
# head: how boto3 asks for it; is_so: what HEAD then says.
State = namedtuple("State", "name boto put to old get head is_so")


def _key(b, key, name):
    return "file:" + b.tool.key_file(key, name)


def _customer(key):
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}


def _server(name, boto, flags, is_so):
    return State(name, boto, flags, flags, lambda b: [], lambda b: [], {}, is_so)


def _kms(name, which, *flags, **head):
    def boto(b):
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": which(b.peer).arn, **head}
    return _server(name, boto, lambda b: ["-e", "sse-kms", "--kms-key", which(b.peer).arn, *flags], boto)


def _sse_c(name, key):
    file = name + ".key"
    return State(
        name, lambda b: _customer(key), lambda b: ["-e", "sse-c", "--sse-c-key", _key(b, key, file)],
        lambda b: ["-e", "sse-c", "--sse-c-key", _key(b, key, file)], lambda b: ["--from-sse-c-key", _key(b, key, file)],
        lambda b: ["--sse-c-key", _key(b, key, file)], _customer(key),
        lambda b: {"SSECustomerAlgorithm": "AES256", "ServerSideEncryption": None})


def _client(name, key, *flags):
    file = name + ".key"
    sealing = lambda b: ["-e", "client", "--key", _key(b, key, file), *flags]  # noqa: E731
    return State(name, None, sealing, sealing, lambda b: ["--from-key", _key(b, key, file)],
                 lambda b: ["--key", _key(b, key, file)], {}, lambda b: {})


SSE_S3 = _server("sse-s3", lambda b: {"ServerSideEncryption": "AES256"}, lambda b: ["-e", "sse-s3"],
                 lambda b: {"ServerSideEncryption": "AES256"})
KMS = _kms("sse-kms", lambda peer: peer.key)
OTHER_KMS = _kms("other-sse-kms", lambda peer: peer.other_key)
BUCKET_KEY = _kms("bucket-key", lambda peer: peer.key, "--bucket-key", BucketKeyEnabled=True)
CONTEXT = _kms("context", lambda peer: peer.key, "--context", "team=blue")
SSE_C = _sse_c("sse-c", KEY_A)
OTHER_SSE_C = _sse_c("other-sse-c", KEY_B)
S3EC = _client("s3ec", KEY_C, "--format", "s3ec")
OTHER_S3EC = _client("other-s3ec", KEY_B, "--format", "s3ec")
ESDK = _client("esdk", KEY_C, "--format", "esdk")
OTHER_ESDK = _client("other-esdk", KEY_B, "--format", "esdk")

# From, to, way. Every pair of neighbours of a usual life, and those where a server is likely to stumble.
WAYS = [
    (SSE_S3, KMS, "server-copy"),
    (SSE_S3, CONTEXT, "server-copy"),
    (SSE_S3, SSE_C, "server-copy"),
    (KMS, OTHER_KMS, "server-copy"),
    (KMS, BUCKET_KEY, "server-copy"),
    (KMS, SSE_C, "server-copy"),
    (SSE_C, OTHER_SSE_C, "server-copy"),
    (SSE_C, KMS, "server-copy"),
    (SSE_C, SSE_S3, "server-copy"),
    (SSE_S3, S3EC, "re-encrypt"),
    (SSE_C, S3EC, "re-encrypt"),
    (KMS, ESDK, "re-encrypt"),
    (S3EC, SSE_S3, "re-encrypt"),
    (S3EC, OTHER_KMS, "re-encrypt"),
    (S3EC, SSE_C, "re-encrypt"),
    (S3EC, ESDK, "re-encrypt"),
    (S3EC, OTHER_S3EC, "rewrap"),
    (ESDK, OTHER_ESDK, "re-encrypt"),
    (ESDK, SSE_S3, "re-encrypt"),
    (ESDK, S3EC, "re-encrypt"),
]


def _stored(b, state, plain):
    if state.boto:
        rotation.store(b, plain, **state.boto(b))
    else:
        b.tool.put(plain, b.name, *state.put(b), *rotation.FLAGS, "--part-size", "5MiB")


def _is(b, state, plain):
    """The object is in this state and opens."""
    head = b.head(**state.head)
    for field, wanted in state.is_so(b).items():
        equal("HEAD " + field, head.get(field), wanted)
    equal("what s3seal reads", b.tool.get(b.name, *state.get(b)), plain)
    if state.boto:
        equal("what boto3 reads", b.read(**state.head), plain)


def goes(b, origin, target, way, size):
    """The rotation changes the encryption, and boto3 sees nothing else change; the second time nothing happens."""
    plain = content(size)
    _stored(b, origin, plain)
    before, sums = rotation.beside(b, **origin.head), rotation.checksums(b, **origin.head)
    options = [*target.to(b), *origin.old(b)]
    told = rotation.rotate(b, *options, "--verify")
    equal("strategy", told["strategy"], way)
    _is(b, target, plain)
    equal("everything else", rotation.beside(b, **target.head), before)
    if origin.boto and target.boto:
        equal("checksums", rotation.checksums(b, **target.head), sums)
    etag = b.head(**target.head)["ETag"]
    # A context is never shown, so that it is there already cannot be seen.
    if target is not CONTEXT:
        equal("the second time", rotation.rotate(b, *options)["strategy"], "none")
        equal("the object then", b.head(**target.head)["ETag"], etag)


def is_refused(b, origin, target):
    """The server does not copy an object onto itself for another encryption: told so, and nothing has changed."""
    plain = content(100_000)
    _stored(b, origin, plain)
    before, etag = rotation.beside(b, **origin.head), b.head(**origin.head)["ETag"]
    done = rotation.rotate(b, *target.to(b), *origin.old(b), exit=USAGE)
    true("the message says why:\n" + done.stderr, "does not copy an object onto itself" in done.stderr)
    equal("everything else", rotation.beside(b, **origin.head), before)
    equal("ETag", b.head(**origin.head)["ETag"], etag)
    _is(b, origin, plain)


# One part, and two.
SIZES = {"small": 100_000, "parts": 6 * MIB}
for _origin, _target, _way in WAYS:
    for _size in SIZES if _way != "server-copy" else ["small"]:
        _row = (_origin, _target, _way, SIZES[_size])
        _name = "rotate/%s/to-%s/%s" % (_origin.name, _target.name, _size)
        add(_name, "localstack", lambda b, row=_row: goes(b, *row))
        # SeaweedFS refuses copies onto itself, and can what goes through this machine or changes metadata only.
        if _way == "server-copy":
            if _target is not BUCKET_KEY:
                add(_name, "seaweedfs", lambda b, row=_row: is_refused(b, *row[:2]))
        elif _target is not KMS:
            add(_name, "seaweedfs", lambda b, row=_row: goes(b, *row))


def at_rest(b, rest, size):
    """What S3 does to sealed bytes stays when they are rewrapped."""
    plain = content(size)
    b.tool.put(plain, b.name, *S3EC.put(b), *rotation.FLAGS, "--part-size", "5MiB", "--at-rest", rest(b.peer))
    before, shown = rotation.beside(b), _shown(b)
    told = rotation.rotate(b, "--rewrap", *OTHER_S3EC.get(b), *S3EC.old(b), "--verify")
    equal("strategy", told["strategy"], "rewrap")
    equal("encryption at rest", _shown(b), shown)
    equal("everything else", rotation.beside(b), before)
    _is(b, OTHER_S3EC, plain)
    b.tool.get(b.name, *S3EC.get(b), exit=KEY)


def _shown(b):
    head = b.head()
    return head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")


for _peer in ("localstack", "seaweedfs"):
    for _size, _bytes in SIZES.items():
        add("rotate/rewrap-at-rest/sse-s3/" + _size, _peer, lambda b, size=_bytes: at_rest(b, lambda _: "sse-s3", size))
        add("rotate/rewrap-at-rest/sse-kms/" + _size, _peer,
            lambda b, size=_bytes: at_rest(b, lambda peer: "sse-kms:" + peer.key.arn, size))


def no_update(b, exit, says):
    """The proof on a scratch object fails: the object itself is not touched, and no scratch object stays."""
    rotation.store(b, b"plain", **SSE_S3.boto(b))
    before, etag = rotation.beside(b), b.head()["ETag"]
    folder = b.name[:b.name.rindex("/") + 1]
    done = rotation.rotate(b, *KMS.to(b), "--update-in-place", exit=exit)
    true("the message says %r:\n%s" % (says, done.stderr), says in done.stderr)
    equal("everything else", rotation.beside(b), before)
    equal("ETag", b.head()["ETag"], etag)
    _is(b, SSE_S3, b"plain")
    equal("objects there", rotation.keys(b, folder), [b.name])
    equal("journals left behind", glob.glob(os.path.join(b.tool.home, ".local/state/s3seal/*")), [])


# LocalStack knows the call by name; SeaweedFS takes its body for the object.
add("rotate/update-in-place/is-refused", "localstack",
    lambda b: no_update(b, USAGE, "does not support UpdateObjectEncryption"))
add("rotate/update-in-place/is-refused", "seaweedfs",
    lambda b: no_update(b, DISTRUST, "overwrote a scratch object"))


@case("rotate/grants", "localstack")
def grants(b):
    """What others may do is not taken along by a copy, nor by an upload, unless it is said."""
    rotation.store(b, b"plain", ACL="public-read")
    before = rotation.beside(b)
    true("somebody else may read it: %r" % before["grants"], len(before["grants"]) == 2)
    rotation.rotate(b, *KMS.to(b))
    equal("after a copy", rotation.beside(b), before)
    rotation.rotate(b, *S3EC.to(b))
    equal("after an upload", rotation.beside(b), before)
    rotation.rotate(b, "--rewrap", *OTHER_S3EC.get(b), *S3EC.old(b))
    equal("after a rewrap", rotation.beside(b), before)


@case("rotate/lock-and-versions", "localstack")
def lock(b):
    """A locked object gets its lock again, and its old version stays, readable with the old key, and is named."""
    bucket = "peers-locked"
    b.s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    b.peer.bucket = b.bucket = bucket
    try:
        until = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=1)
        rotation.store(b, b"plain", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until,
                       ObjectLockLegalHoldStatus="ON", **SSE_C.boto(b))
        old, before = b.head(**SSE_C.head)["VersionId"], rotation.beside(b, **SSE_C.head)
        true("it is locked: %r" % before, "ObjectLockRetainUntilDate" in before)
        for target, origin in ((OTHER_SSE_C, SSE_C), (S3EC, OTHER_SSE_C)):
            told = rotation.rotate(b, *target.to(b), *origin.old(b))
            equal("after " + target.name, rotation.beside(b, **target.head), before)
            equal("the version that stays", told["previous_version_id"], old)
            equal("that version", b.read(VersionId=old, **origin.head), b"plain")
            old = told["version_id"]
    finally:
        b.peer.bucket = "peers"


@case("rotate/no-key-fits", "localstack")
def wrong_key(b):
    """Without the old key, or with another: exit 5, the flag is named, nothing has changed."""
    rotation.store(b, b"plain", **SSE_C.boto(b))
    etag = b.head(**SSE_C.head)["ETag"]
    for old in ([], OTHER_SSE_C.old(b)):
        done = rotation.rotate(b, *SSE_S3.to(b), *old, exit=KEY)
        true("the flag is named:\n" + done.stderr, "--from-sse-c-key SOURCE" in done.stderr)
    equal("ETag", b.head(**SSE_C.head)["ETag"], etag)


@case("rotate/prefix", "localstack")
def prefix(b):
    """Everything below a prefix, whatever it is; what no key opens is named and the same command goes on with it."""
    states = [SSE_S3, KMS, SSE_C, S3EC, ESDK]
    names = []
    for number in range(10):
        state, name = states[number % 5], "%s/%d" % (b.name, number)
        b.tool.put(name.encode(), name, *state.put(b))
        names.append(name)
    b.s3.put_object(**b.where(b.name + "/lost"), Body=b"lost", **_customer(bytes(32)))
    line = ["rotate", b.tool.uri(b.name + "/"), "--yes", "--json", *OTHER_SSE_C.to(b), *SSE_C.old(b), *S3EC.old(b)]
    done = b.tool.run(*line, exit=SOME)
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    equal("the sum", rows[-1]["summary"], {
        "objects": 10, "failed": 1, "previous_versions": 0, "skipped": 0, "strategies": {"re-encrypt": 4, "server-copy": 6}})
    failed, = (row for row in rows if "error" in row)
    equal("what failed", failed["uri"], b.tool.uri(b.name + "/lost"))
    etags = [b.head(name, **OTHER_SSE_C.head)["ETag"] for name in names]
    for name in names:
        equal(name, b.read(name, **OTHER_SSE_C.head), name.encode())
    again = b.tool.run(*line, "--from-sse-c-key", _key(b, bytes(32), "lost.key"))
    # LocalStack's copies keep the ETag, so that the six are looked at again.
    equal("the sum of the second run", json.loads(again.stdout.splitlines()[-1])["summary"]["strategies"],
          {"none": 6, "server-copy": 1})
    equal("ETags", [b.head(name, **OTHER_SSE_C.head)["ETag"] for name in names], etags)


@case("rotate/what-a-server-loses-is-noticed", "localstack")
def loses(b):
    """LocalStack's copies lose Expires: the object is as asked, and what is lost is told with what it was."""
    rotation.store(b, b"plain", Expires=rotation.EXPIRES)
    done = rotation.rotate(b, *KMS.to(b), exit=DISTRUST)
    true("the message says what it was:\n" + done.stderr, "lost: Expires 'Sun, 03 Feb 2041 04:05:06 GMT'" in done.stderr)
    true("nobody is told to remove it:\n" + done.stderr, "delete" not in done.stderr)
    _is(b, KMS, b"plain")


@case("rotate/expires", "localstack")
def expires(b):
    """An upload says everything itself, so that this header stays."""
    rotation.store(b, b"plain", Expires=rotation.EXPIRES)
    before = rotation.beside(b)
    rotation.rotate(b, *S3EC.to(b))
    equal("everything else", rotation.beside(b), before)
