"""s3seal and the official AWS Encryption SDKs read what the other wrote.

Why: a client-side format is worth what others can open. KMS is LocalStack's,
which binds contexts as KMS does. What others wrote is stored by a put that knows
nothing of it, so every such get also finds the format by the first bytes.
Not here: the format's corners and what must fail, which the vectors have (tests/vectors.rs).
"""

import base64
import json

from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

import esdk
from bench import MIB, content
from checks import Failed, add, case, equal, true
from esdk import Aes, Cli, JavaScript, Kms, Python

KEY, DISTRUST, CONDITION = 5, 6, 8
FRAME = 64 << 10
PART = 5 * MIB
SMALL = [("empty", 0), ("1", 1), ("frame-less-one", FRAME - 1), ("frame", FRAME), ("frame-and-one", FRAME + 1)]
SIZES = SMALL + [("part-less-one", PART - 1), ("part", PART), ("part-and-one", PART + 1)]
FEW = [("empty", 0), ("frame-and-one", FRAME + 1), ("part-and-one", PART + 1)]
# Whatever the language, these sort alike.
CONTEXT = {"team": "blue", "tier": "1"}
# In JavaScript's own order these come otherwise than by their bytes.
UNSORTED = {"B": "1", "a": "2", "a-b": "3", "a_b": "4", "ab": "5"}
SDKS = {"python": Python, "javascript": JavaScript}


def _key(b, kind):
    if kind == "aes":
        return Aes("peers", "backup", bytes(range(32)))
    return esdk.new_rsa("peers", "backup") if kind == "rsa" else Kms(b.peer.key.arn)


def _sealing(b, key):
    """What s3seal put needs to seal for this key."""
    if isinstance(key, Aes):
        return ["--key", "file:" + b.tool.key_file(key.key, key.key.hex()[:8])]
    if isinstance(key, Kms):
        return ["--kms-key", key.arn]
    return ["--public-key", b.tool.file(key.public, "public.pem")]


def _opening(b, key):
    """What s3seal get needs to open with this key."""
    if isinstance(key, esdk.Rsa):
        return ["--private-key", "file:" + b.tool.key_file(key.private, "private.pem")]
    return _sealing(b, key)


def _put(b, plain, keys, *options):
    # A name is given to one raw key; several get their fingerprints.
    name = ["--key-name", "peers/backup"] if len(keys) == 1 and not isinstance(keys[0], Kms) else []
    sealing = [word for key in keys for word in _sealing(b, key)]
    done = b.tool.put(plain, b.name, "--json", "-e", "client", "--format", "esdk", "--part-size", "5MiB", *sealing,
                      *name, *options)
    return json.loads(done.stdout)["key_names"]


def _context_options(context):
    return [word for pair in context.items() for word in ("--context", "%s=%s" % pair)]


def sdk_reads(b, sdk, kind, size):
    """s3seal wrote it."""
    plain, key = content(size), _key(b, kind)
    _put(b, plain, [key], *_context_options(CONTEXT))
    equal("what the SDK reads", SDKS[sdk](b).decrypt(b.read(), [key]), (plain, CONTEXT))
    equal("uploads left behind", b.uploads(), [])


def s3seal_reads(b, sdk, kind, size, suite):
    """The SDK wrote it, and a put that was told nothing stored it."""
    plain, key = content(size), _key(b, kind)
    sealed = SDKS[sdk](b).encrypt(plain, [key], CONTEXT, suite, FRAME)
    b.tool.put(sealed, b.name, "--part-size", "5MiB")
    opening = [*_opening(b, key), "--part-size", "5MiB"]
    equal("what s3seal reads", b.tool.get(b.name, *opening, *_context_options(CONTEXT)), plain)
    equal("to standard output", b.tool.run("get", *opening, b.tool.uri(b.name), "-").stdout, plain)


def _register(name, body, *arguments):
    add("esdk/" + name, "localstack", lambda b: body(b, *arguments))


for _kind, _sizes in (("aes", SIZES), ("rsa", FEW), ("kms", SIZES)):
    for _label, _size in _sizes:
        _register("python-reads-%s/%s" % (_kind, _label), sdk_reads, "python", _kind, _size)
        _register("s3seal-reads-python-%s/%s" % (_kind, _label), s3seal_reads, "python", _kind, _size, esdk.COMMITTING)
for _kind, _sizes in (("aes", SIZES), ("rsa", FEW[1:]), ("kms", FEW)):
    for _label, _size in _sizes:
        _register("javascript-reads-%s/%s" % (_kind, _label), sdk_reads, "javascript", _kind, _size)
        _register("s3seal-reads-javascript-%s/%s" % (_kind, _label), s3seal_reads, "javascript", _kind, _size,
                  esdk.COMMITTING)
for _sdk in SDKS:
    for _label, _size in FEW:
        _register("s3seal-reads-%s-signed/%s" % (_sdk, _label), s3seal_reads, _sdk, "aes", _size, esdk.SIGNED)


def any_opens_ours(b, sdk):
    """s3seal sealed it for five; each of them alone opens it."""
    plain = content(FRAME + 1)
    keys = [_key(b, "aes"), Aes("peers", "other", bytes(range(100, 132))), _key(b, "rsa"),
            _key(b, "kms"), Kms(b.peer.other_key.arn)]
    names = [name.split("/") for name in _put(b, plain, keys, *_context_options(CONTEXT))]
    equal("raw keys named in the outcome", len(names), 3)
    keys[:3] = [key._replace(namespace=namespace, name=name) for key, (namespace, name) in zip(keys, names)]
    for key in keys:
        equal("what the SDK reads with one", SDKS[sdk](b).decrypt(b.read(), [key]), (plain, CONTEXT))
        equal("what s3seal reads with one", b.tool.get(b.name, *_opening(b, key)), plain)


def any_opens_theirs(b, sdk):
    """The SDK sealed it for four; s3seal opens it with each alone, and with the right one among wrong ones."""
    plain = content(FRAME + 1)
    keys = [_key(b, "kms"), _key(b, "aes"), Aes("peers", "other", bytes(range(100, 132))), _key(b, "rsa")]
    b.tool.put(SDKS[sdk](b).encrypt(plain, keys, CONTEXT, frame_length=FRAME), b.name)
    wrong = _sealing(b, Aes("", "", bytes(range(200, 232))))
    for key in keys:
        equal("with one", b.tool.get(b.name, *_opening(b, key)), plain)
        equal("with a wrong one too", b.tool.get(b.name, *wrong, *_opening(b, key)), plain)
    account = b.peer.key.arn.split(":")[4]
    equal("as the object says", b.tool.get(b.name, "--kms-discovery", "--kms-account", account), plain)
    b.tool.get(b.name, *wrong, exit=KEY)
    b.tool.get(b.name, "--kms-key", b.peer.other_key.arn, exit=KEY)


for _sdk in SDKS:
    _register("any-recipient-opens-ours/" + _sdk, any_opens_ours, _sdk)
    _register("any-recipient-opens-theirs/" + _sdk, any_opens_theirs, _sdk)


def frame_lengths(b, sdk, length):
    """Another frame length than the usual one, and ranges of it."""
    plain, key = content(5 * length + 17), _key(b, "aes")
    _put(b, plain, [key], "--frame-length", str(length))
    equal("what the SDK reads", SDKS[sdk](b).decrypt(b.read(), [key])[0], plain)
    b.tool.put(SDKS[sdk](b).encrypt(plain, [key], frame_length=length), b.name)
    for first, last in ((0, 0), (length - 1, length), (length, 3 * length - 1), (5 * length, 5 * length + 16)):
        part = b.tool.get(b.name, *_opening(b, key), "--range", "%d-%d" % (first, last))
        equal("the range %d-%d" % (first, last), part, plain[first:last + 1])


for _sdk in SDKS:
    for _length in (4096, 1 << 20):
        _register("frame-lengths/%s/%d" % (_sdk, _length), frame_lengths, _sdk, _length)


@case("esdk/context-order/python", "localstack")
def order_python(b):
    """Names of mixed case and with punctuation are sorted by their bytes."""
    key = _key(b, "aes")
    _put(b, b"secret", [key], *_context_options(UNSORTED))
    equal("what Python reads", Python(b).decrypt(b.read(), [key]), (b"secret", UNSORTED))
    b.tool.put(Python(b).encrypt(b"secret", [key], {**UNSORTED, "naïve": "日本"}), b.name)
    equal("what s3seal reads", b.tool.get(b.name, *_opening(b, key), "--context", "naïve=日本"), b"secret")


@case("esdk/context-order/javascript", "localstack")
def order_javascript(b):
    """JavaScript sorts by its language's order, unless told to do as all others."""
    key = _key(b, "aes")
    _put(b, b"secret", [key], *_context_options(UNSORTED))
    equal("as others do", JavaScript(b).decrypt(b.read(), [key], utf8_sorting=True), (b"secret", UNSORTED))
    try:
        JavaScript(b).decrypt(b.read(), [key])
    except Failed as failure:
        true("it fails at the wrapped key: %s" % failure, "unencryptedDataKey" in str(failure))
    else:
        raise Failed("JavaScript sorts by bytes by now: the page on interoperability may say so")


@case("esdk/other-context-is-refused", "localstack")
def other_context(b):
    """What get asks for must be in the message; what it does not ask for may be."""
    for kind in ("aes", "kms"):
        key = _key(b, kind)
        b.tool.put(Python(b).encrypt(b"secret", [key], CONTEXT), b.name)
        opening = _opening(b, key)
        b.tool.get(b.name, *opening, "--context", "team=red", exit=KEY)
        b.tool.get(b.name, *opening, "--context", "other=1", exit=KEY)
        equal("with one pair", b.tool.get(b.name, *opening, "--context", "team=blue"), b"secret")


@case("esdk/context-that-is-not-stored", "localstack")
def required_context(b):
    """Python's required pairs are proven but not in the message: whoever reads must know them."""
    key = _key(b, "aes")
    b.tool.put(Python(b).encrypt(b"secret", [key], CONTEXT, required=["tier"]), b.name)
    opening = _opening(b, key)
    equal("with it", b.tool.get(b.name, *opening, "--context", "tier=1"), b"secret")
    b.tool.get(b.name, *opening, exit=KEY)
    b.tool.get(b.name, *opening, "--context", "tier=2", exit=KEY)


def bound_name(b, kind):
    """The name is two pairs of the context: both sides open it under its own name, and nobody under another."""
    key = _key(b, kind)
    name = {"s3seal-bucket": b.bucket, "s3seal-object-key": b.name}
    other = {**name, "s3seal-object-key": "another"}
    opening = _opening(b, key)
    _put(b, b"ours", [key], "--bind-name", "--context", "team=blue")
    equal("what Python reads", Python(b).decrypt(b.read(), [key], name), (b"ours", {"team": "blue", **name}))
    try:
        Python(b).decrypt(b.read(), [key], other)
    except AWSEncryptionSDKClientError:
        pass
    else:
        raise Failed("Python opened it with %r" % other)
    b.tool.put(Python(b).encrypt(b"theirs", [key], name), b.name)
    equal("what s3seal reads", b.tool.get(b.name, *opening, "--require-bound-name"), b"theirs")
    b.s3.copy_object(Bucket=b.bucket, Key=b.name + "-copy", CopySource=b.where())
    b.tool.get(b.name + "-copy", *opening, exit=DISTRUST)
    b.tool.put(Python(b).encrypt(b"theirs", [key]), b.name)
    b.tool.get(b.name, *opening, "--require-bound-name", exit=CONDITION)


for _kind in ("aes", "rsa", "kms"):
    _register("bind-name/" + _kind, bound_name, _kind)


@case("esdk/passphrase-opens-elsewhere", "localstack")
def passphrase(b):
    """The key's name says how the passphrase becomes a key, so that anybody can do it."""
    phrase = b.tool.key_file(b"correct horse battery staple", "phrase")
    b.tool.put(b"secret", b.name, "-e", "client", "--format", "esdk", "--passphrase=file:" + phrase)
    sealed = b.read()
    start = sealed.index(b"$argon2id$")
    # Name, then the bits of the tag, the bytes of the nonce, and the nonce.
    name = sealed[start:sealed.index(b"\0\0\0\x80\0\0\0\x0c", start)].decode()
    key = Aes("passphrase", name, _derive(b"correct horse battery staple", name))
    equal("what Python reads", Python(b).decrypt(sealed, [key])[0], b"secret")
    equal("what JavaScript reads", JavaScript(b).decrypt(sealed, [key])[0], b"secret")


def _derive(phrase, name):
    _, kind, version, costs, salt = name.split("$")
    equal("the function", (kind, version), ("argon2id", "v=19"))
    cost = dict(one.split("=") for one in costs.split(","))
    salt = base64.b64decode(salt + "=" * (-len(salt) % 4))
    return Argon2id(salt=salt, length=32, iterations=int(cost["t"]), lanes=int(cost["p"]),
                    memory_cost=int(cost["m"])).derive(phrase)


@case("esdk/stream", "localstack")
def stream(b):
    """A stream whose length is not known takes this format by itself."""
    plain, key = content(2 * PART + 1), _key(b, "kms")
    b.tool.run("put", "-e", "client", *_sealing(b, key), "--part-size", "5MiB", "-", b.tool.uri(b.name), stdin=plain)
    equal("what Python reads", Python(b).decrypt(b.read(), [key])[0], plain)
    equal("what JavaScript reads", JavaScript(b).decrypt(b.read(), [key])[0], plain)


@case("esdk/tampered-body-is-refused", "localstack")
def tampered(b):
    """One flipped byte of what Python wrote: frames before it come out, nothing after, and no file."""
    plain, key = content(10 * FRAME), _key(b, "aes")
    sealed = bytearray(Python(b).encrypt(plain, [key], frame_length=FRAME))
    sealed[len(sealed) // 2] ^= 1
    b.tool.put(bytes(sealed), b.name)
    b.tool.get(b.name, *_opening(b, key), exit=DISTRUST)
    out = b.tool.run("get", *_opening(b, key), b.tool.uri(b.name), "-", exit=DISTRUST).stdout
    true("only frames before it: %d bytes" % len(out), len(out) % FRAME == 0 and len(out) <= 5 * FRAME)
    equal("standard output", out, plain[:len(out)])


@case("esdk/cli-reads", "localstack")
def cli_reads(b):
    """aws-encryption-cli opens a KMS-sealed object that get --raw handed out as it is."""
    plain, key = content(PART + 1), _key(b, "kms")
    _put(b, plain, [key], *_context_options(CONTEXT))
    raw = b.tool.run("get", "--raw", b.tool.uri(b.name), "-").stdout
    equal("the stored bytes", raw, b.read())
    equal("in a file", b.tool.get(b.name, "--raw"), raw)
    equal("what the cli reads", Cli(b).decrypt(raw, key, CONTEXT.items()), plain)


@case("esdk/cli-writes", "localstack")
def cli_writes(b):
    """s3seal opens what aws-encryption-cli wrote."""
    plain, key = content(FRAME + 1), _key(b, "kms")
    b.tool.put(Cli(b).encrypt(plain, key, CONTEXT.items()), b.name)
    equal("what s3seal reads", b.tool.get(b.name, "--kms-key", key.arn, *_context_options(CONTEXT)), plain)
