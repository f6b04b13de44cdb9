"""s3seal and the official Python S3 Encryption Client read what the other wrote.

Why: a client-side format is worth what others can open. KMS is LocalStack's,
which binds contexts as KMS does.
Not here: the formats' corners and what must fail, which the vectors have (tests/vectors.rs).
"""

import io

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from s3_encryption.exceptions import S3EncryptionClientError

import s3ec
from bench import MIB, content
from checks import Failed, add, case, equal, true

USAGE, KEY, DISTRUST, CONDITION = 2, 5, 6, 8
PART = 5 * MIB
SIZES = [
    ("empty", 0), ("1", 1), ("15", 15), ("16", 16), ("17", 17),
    # The part size in plain bytes, and in sealed ones: those are 16 more.
    ("part-less-17", PART - 17), ("part-less-16", PART - 16), ("part-less-one", PART - 1), ("part", PART),
    ("part-and-one", PART + 1), ("40MiB", 40 * MIB),
]
# Suite, options of put, options of get: the older format opens only when allowed.
# The format names no KMS key, so who reads must, as with the official clients.
FORMATS = {
    "v3": (s3ec.V3, [], []),
    "v2": (s3ec.V2, ["--format", "s3ec-v2"], ["--allow-legacy", "v2"]),
}
CONTEXT = {"team": "blue", "tier": "1"}


def _context_options(context):
    return [word for pair in context.items() for word in ("--context", "%s=%s" % pair)]


def python_reads(b, form, size, context):
    """s3seal wrote it under a KMS key."""
    suite, sealing, _ = FORMATS[form]
    plain = content(size)
    b.tool.put(plain, b.name, "-e", "client", "--kms-key", b.peer.key.arn, "--part-size", "5MiB", *sealing,
               *_context_options(context))
    equal("stored size", b.head()["ContentLength"], size + 16)
    equal("what the Python client reads", _read(b, s3ec.with_kms(b.peer, b.peer.key, suite), context), plain)
    equal("uploads left behind", b.uploads(), [])


def s3seal_reads(b, form, size, context, parts):
    """The Python client wrote it, in one PUT or in parts."""
    suite, _, opening = FORMATS[form]
    plain = content(size)
    client = s3ec.with_kms(b.peer, b.peer.key, suite)
    if parts:
        client.upload_fileobj(io.BytesIO(plain), b.bucket, b.name, multipart_chunksize=PART, EncryptionContext=dict(context))
    else:
        client.put_object(**b.where(), Body=plain, EncryptionContext=dict(context))
    opening = [*opening, "--kms-key", b.peer.key.arn, *_context_options(context)]
    equal("what s3seal reads", b.tool.get(b.name, *opening), plain)


def _read(b, client, context=None):
    return client.get_object(**b.where(), EncryptionContext=dict(context or {}))["Body"].read()


def _register(name, body, *arguments):
    add("s3ec/" + name, "localstack", lambda b: body(b, *arguments))


for _form in FORMATS:
    for _label, _size in SIZES:
        _register("python-reads/%s/%s" % (_form, _label), python_reads, _form, _size, {})
        _register("s3seal-reads/%s/%s" % (_form, _label), s3seal_reads, _form, _size, {}, False)
    for _label, _size in (("17", 17), ("part-and-one", PART + 1)):
        _register("python-reads/%s/%s-with-context" % (_form, _label), python_reads, _form, _size, CONTEXT)
        _register("s3seal-reads/%s/%s-with-context" % (_form, _label), s3seal_reads, _form, _size, CONTEXT, False)
    for _label, _size in (("part", PART), ("part-and-one", PART + 1), ("40MiB", 40 * MIB)):
        _register("s3seal-reads/%s/%s-in-parts" % (_form, _label), s3seal_reads, _form, _size, CONTEXT, True)


def python_reads_aes(b, form, size):
    """s3seal wrote it under a local AES key."""
    suite, sealing, _ = FORMATS[form]
    plain, key = content(size), bytes(range(32))
    b.tool.put(plain, b.name, "-e", "client", "--key", "file:" + b.tool.key_file(key), "--part-size", "5MiB", *sealing)
    equal("what the Python client reads", _read(b, s3ec.with_raw_key(b.peer, key, suite)), plain)


def python_reads_rsa(b, form, size):
    """s3seal wrote it under a public RSA key."""
    suite, sealing, _ = FORMATS[form]
    plain = content(size)
    private = rsa.generate_private_key(65537, 2048)
    public = b.tool.file(private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo), "public.pem")
    b.tool.put(plain, b.name, "-e", "client", "--public-key", public, "--part-size", "5MiB", *sealing)
    equal("what the Python client reads", _read(b, s3ec.with_raw_key(b.peer, private, suite)), plain)


for _form in FORMATS:
    for _label, _size in (("empty", 0), ("17", 17), ("part-and-one", PART + 1)):
        _register("python-reads-aes/%s/%s" % (_form, _label), python_reads_aes, _form, _size)
        _register("python-reads-rsa/%s/%s" % (_form, _label), python_reads_rsa, _form, _size)


@case("s3ec/python-reads-instruction-file", "localstack")
def instruction_file(b):
    """The envelope beside the object instead of in its metadata."""
    b.tool.put(b"secret", b.name, "-e", "client", "--kms-key", b.peer.key.arn, "--instruction-file")
    true("the instruction file is there", b.exists(b.name + ".instruction"))
    true("the wrapped key is not in the metadata", "x-amz-3" not in b.head()["Metadata"])
    equal("what the Python client reads", _read(b, s3ec.with_kms(b.peer, b.peer.key)), b"secret")


@case("s3ec/from-standard-input", "localstack")
def stream(b):
    """A stream whose length is not known, in parts."""
    plain = content(2 * PART + 1)
    b.tool.run("put", "-e", "client", "--format", "s3ec", "--kms-key", b.peer.key.arn, "--part-size", "5MiB", "-",
               b.tool.uri(b.name), stdin=plain)
    equal("what the Python client reads", _read(b, s3ec.with_kms(b.peer, b.peer.key)), plain)
    equal("to standard output", b.tool.run("get", "--kms-key", b.peer.key.arn, b.tool.uri(b.name), "-").stdout, plain)


@case("s3ec/other-context-is-refused-both-ways", "localstack")
def other_context(b):
    """A context is part of the key: none, or another, opens nothing."""
    b.tool.put(b"secret", b.name, "-e", "client", "--kms-key", b.peer.key.arn, "--context", "team=blue")
    client = s3ec.with_kms(b.peer, b.peer.key)
    for context in ({}, {"team": "red"}):
        try:
            _read(b, client, context)
        except S3EncryptionClientError:
            pass
        else:
            raise Failed("the Python client opened it with %r" % context)
    key = ["--kms-key", b.peer.key.arn]
    b.tool.get(b.name, *key, "--context", "team=red", exit=KEY)
    b.tool.get(b.name, *key, exit=KEY)
    b.tool.get(b.name, "--kms-key", b.peer.other_key.arn, "--context", "team=blue", exit=KEY)
    equal("with the right ones", b.tool.get(b.name, *key, "--context", "team=blue"), b"secret")


@case("s3ec/bind-name", "localstack")
def bound_name(b):
    """The name is two pairs of the context: both sides open it under its own name, and nobody under another."""
    name = {"s3seal-bucket": b.bucket, "s3seal-object-key": b.name}
    key = ["--kms-key", b.peer.key.arn]
    b.tool.put(b"ours", b.name, "-e", "client", *key, "--bind-name", "--context", "team=blue")
    client = s3ec.with_kms(b.peer, b.peer.key)
    equal("what the Python client reads", _read(b, client, {"team": "blue", **name}), b"ours")
    for context in ({"team": "blue"}, {"team": "blue", **name, "s3seal-object-key": "another"}):
        try:
            _read(b, client, context)
        except S3EncryptionClientError:
            pass
        else:
            raise Failed("the Python client opened it with %r" % context)
    client.put_object(**b.where(), Body=b"theirs", EncryptionContext=name)
    equal("what s3seal reads", b.tool.get(b.name, *key, "--require-bound-name"), b"theirs")
    b.s3.copy_object(Bucket=b.bucket, Key=b.name + "-copy", CopySource=b.where())
    b.tool.get(b.name + "-copy", *key, exit=DISTRUST)
    client.put_object(**b.where(), Body=b"theirs", EncryptionContext={})
    b.tool.get(b.name, *key, "--require-bound-name", exit=CONDITION)


@case("s3ec/v2-is-refused-unless-allowed", "localstack")
def v2_refused(b):
    """A non-committing object opens only with the switch; the message names it."""
    s3ec.with_kms(b.peer, b.peer.key, s3ec.V2).put_object(**b.where(), Body=b"secret")
    done = b.tool.run("get", "--kms-key", b.peer.key.arn, b.tool.uri(b.name), "-", exit=(USAGE, DISTRUST))
    true("the message names the switch:\n" + done.stderr, "--allow-legacy" in done.stderr)
    equal("standard output", done.stdout, b"")


@case("s3ec/tampered-body-is-refused", "localstack")
def tampered(b):
    """One flipped byte of what the Python client stored: nothing comes out."""
    s3ec.with_kms(b.peer, b.peer.key).put_object(**b.where(), Body=content(1000))
    stored = b.s3.get_object(**b.where())
    body = bytearray(stored["Body"].read())
    body[500] ^= 1
    b.s3.put_object(**b.where(), Body=bytes(body), Metadata=stored["Metadata"])
    key = ["--kms-key", b.peer.key.arn]
    b.tool.get(b.name, *key, exit=DISTRUST)
    equal("standard output", b.tool.run("get", *key, b.tool.uri(b.name), "-", exit=DISTRUST).stdout, b"")
