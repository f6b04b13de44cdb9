"""What the official clients open after a rotation, and what they open no more.

Why: a new wrap is worth what others make of it; and that the old key is out is
a claim that somebody else's client must confirm.
Not here: the rotations' effect on everything but the envelope (cases_rotate.py).
"""

import base64
import glob
import json
import logging
import os
from collections import namedtuple

import botocore.exceptions
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from s3_encryption.exceptions import S3EncryptionClientError, S3EncryptionClientSecurityError

import esdk
import rotation
import s3ec
from bench import content
from checks import Failed, add, case, equal, true

USAGE, KEY = 2, 5
LENGTH = 100_000
CONTEXT = {"team": "blue"}
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "s3ec", "positive")
# Suite, what put and rotate need to write it, what they need to read it.
FORMATS = {"v3": (s3ec.V3, ["--format", "s3ec"], []), "v2": (s3ec.V2, ["--format", "s3ec-v2"], ["--allow-legacy", "v2"])}

# One reader's key. new: how s3seal seals for it; old: how it opens with it in rotate; client: the official client
# with it; kind: the wrap.
Reader = namedtuple("Reader", "kind new old client")


def aes(b, key):
    """A local AES key."""
    path = "file:" + b.tool.key_file(key, key.hex()[:8])
    return Reader("aes", ["--key", path], ["--from-key", path], lambda suite: s3ec.with_raw_key(b.peer, key, suite))


def rsa_pair(b, private=None):
    """An RSA key pair."""
    private = private or rsa.generate_private_key(65537, 2048)
    public = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
    name = "rsa-%x" % (private.public_key().public_numbers().n & 0xffffffff)
    return Reader("rsa", ["--public-key", b.tool.file(public, name + ".public")],
                  # Anyone with the public key could have written it.
                  ["--from-private-key", "file:" + b.tool.key_file(pem, name), "--seal-plaintext"],
                  lambda suite: s3ec.with_raw_key(b.peer, private, suite))


def kms(b, key, context=()):
    """A key in KMS, with the context that its users give."""
    pairs = ["%s=%s" % pair for pair in dict(context).items()]
    return Reader("kms", ["--kms-key", key.arn, *(word for pair in pairs for word in ("--context", pair))],
                  ["--from-kms-key", key.arn, *(word for pair in pairs for word in ("--from-context", pair))],
                  lambda suite: s3ec.with_kms(b.peer, key, suite))


def opens(b, reader, suite, plain, context=(), **how):
    """The official client opens the object with this reader's key."""
    answer = reader.client(suite).get_object(**b.where(), EncryptionContext=dict(context), **how)
    equal("what the Python client reads", answer["Body"].read(), plain)


def is_refused(b, reader, suite, context=(), **how):
    """The official client does not open the object with this reader's key."""
    try:
        reader.client(suite).get_object(**b.where(), EncryptionContext=dict(context), **how)["Body"].read()
    except (S3EncryptionClientError, S3EncryptionClientSecurityError, botocore.exceptions.ClientError):
        return
    raise Failed("the Python client opened it")


def _rewraps(b, form, reader, target, plain, way="rewrap"):
    suite, _, legacy = FORMATS[form]
    opens(b, reader, suite, plain)
    stored, etag, before = b.read(), b.head()["ETag"], rotation.beside(b)
    told = rotation.rotate(b, "--rewrap", *target.new, *reader.old, *legacy)
    equal("strategy", told["strategy"], way)
    opens(b, target, suite, plain)
    is_refused(b, reader, suite)
    equal("the sealed bytes", b.read(), stored)
    equal("everything else", rotation.beside(b), before)
    if way != "rewrap":
        equal("the object's ETag", b.head()["ETag"], etag)


def through_all(b, form, beside):
    """s3seal wrote it under AES; then other AES, RSA, KMS, other KMS, and back to AES."""
    plain, (_, form_options, _) = content(LENGTH), FORMATS[form]
    readers = [aes(b, bytes(range(32))), aes(b, bytes(range(192, 224))), rsa_pair(b), rsa_pair(b), kms(b, b.peer.key),
               kms(b, b.peer.other_key), aes(b, bytes(range(160, 192)))]
    b.tool.put(plain, b.name, "-e", "client", *readers[0].new, *form_options, *rotation.FLAGS,
               *(["--instruction-file"] if beside else []))
    for reader, target in zip(readers, readers[1:]):
        _rewraps(b, form, reader, target, plain, "rewrap-instruction-file" if beside else "rewrap")


def official_wrote(b, form, target):
    """The Python client wrote it under KMS; then whatever is next."""
    plain, suite = content(LENGTH), FORMATS[form][0]
    reader = kms(b, b.peer.key)
    reader.client(suite).put_object(**b.where(), Body=plain, Metadata={"owner": "me"}, ContentType="text/x-life")
    _rewraps(b, form, reader, target(b), plain)


for _form in FORMATS:
    for _beside in (False, True):
        add("rotate/s3ec/%s/through-all-keys/%s" % (_form, "instruction-file" if _beside else "metadata"), "localstack",
            lambda b, row=(_form, _beside): through_all(b, *row))
    for _name, _target in (("aes", lambda b: aes(b, bytes(range(32)))), ("rsa", rsa_pair),
                           ("kms", lambda b: kms(b, b.peer.other_key))):
        add("rotate/s3ec/%s/python-wrote/to-%s" % (_form, _name), "localstack",
            lambda b, row=(_form, _target): official_wrote(b, *row))


@case("rotate/s3ec/context", "localstack")
def context(b):
    """A new KMS key has the context that it is given, and the old one's is needed to open."""
    plain, reader, target = content(LENGTH), kms(b, b.peer.key, CONTEXT), kms(b, b.peer.other_key, {"team": "red"})
    reader.client(s3ec.V3).put_object(**b.where(), Body=plain, EncryptionContext=dict(CONTEXT))
    rotation.rotate(b, "--rewrap", *target.new, "--from-kms-key", b.peer.key.arn, exit=KEY)
    opens(b, reader, s3ec.V3, plain, CONTEXT)
    done = rotation.rotate(b, "--rewrap", "--kms-key", b.peer.other_key.arn, *reader.old, exit=USAGE)
    true("the message says what would be lost:\n" + done.stderr, "encryption context (team) would be lost" in done.stderr)
    opens(b, reader, s3ec.V3, plain, CONTEXT)
    rotation.rotate(b, "--rewrap", *target.new, *reader.old)
    opens(b, target, s3ec.V3, plain, {"team": "red"})
    is_refused(b, target, s3ec.V3, CONTEXT)
    is_refused(b, reader, s3ec.V3, CONTEXT)


@case("rotate/s3ec/two-readers", "localstack")
def two_readers(b):
    """A further reader gets an instruction file of his own, and keeps it when the first one's key changes."""
    plain = content(LENGTH)
    first, partner, second = aes(b, bytes(range(32))), rsa_pair(b), kms(b, b.peer.key)
    b.tool.put(plain, b.name, "-e", "client", *first.new, "--instruction-file")
    told = rotation.rotate(b, "--share-to", "partner", *partner.new, *first.old)
    equal("strategy", told["strategy"], "share")
    opens(b, first, s3ec.V3, plain)
    opens(b, partner, s3ec.V3, plain, InstructionFileSuffix=".partner")
    is_refused(b, first, s3ec.V3, InstructionFileSuffix=".partner")
    equal("way", rotation.rotate(b, "--rewrap", *second.new, *first.old)["strategy"], "rewrap-instruction-file")
    opens(b, second, s3ec.V3, plain)
    opens(b, partner, s3ec.V3, plain, InstructionFileSuffix=".partner")
    is_refused(b, first, s3ec.V3)
    # The file is there: it is not written over, and the partner's reading it shows that nothing changed.
    rotation.rotate(b, "--share-to", "partner", *first.new, *second.old, exit=8)
    opens(b, partner, s3ec.V3, plain, InstructionFileSuffix=".partner")


@case("rotate/s3ec/new-data-key", "localstack")
def new_data_key(b):
    """After a rewrap the old envelope, had somebody kept it, still opens the bytes; after --new-data-key it does not."""
    plain, old, new = content(LENGTH), kms(b, b.peer.key), kms(b, b.peer.other_key)
    old.client(s3ec.V3).put_object(**b.where(), Body=plain)
    kept = b.head()["Metadata"]

    def put_back():
        now = b.head()["Metadata"]
        b.s3.copy_object(**b.where(), CopySource=b.where(), Metadata=kept, MetadataDirective="REPLACE")
        return now

    rotation.rotate(b, "--rewrap", *new.new, *old.old)
    now = put_back()
    opens(b, old, s3ec.V3, plain)
    b.s3.copy_object(**b.where(), CopySource=b.where(), Metadata=now, MetadataDirective="REPLACE")
    told = rotation.rotate(b, "-e", "client", "--new-data-key", *new.new, *new.old)
    equal("strategy", told["strategy"], "re-encrypt")
    opens(b, new, s3ec.V3, plain)
    put_back()
    is_refused(b, old, s3ec.V3)


@case("rotate/s3ec/v2-becomes-v3", "localstack")
def v2_to_v3(b):
    """What the strict client refuses it opens after the migration; the switch for the old format is asked for."""
    plain, reader = content(LENGTH), kms(b, b.peer.key)
    reader.client(s3ec.V2).put_object(**b.where(), Body=plain)
    is_refused(b, reader, s3ec.V3)
    line = ["-e", "client", "--format", "s3ec", *reader.new, *reader.old]
    done = rotation.rotate(b, *line, exit=USAGE)
    true("the message names the switch:\n" + done.stderr, "--allow-legacy" in done.stderr)
    equal("way", rotation.rotate(b, *line, "--allow-legacy", "v2")["strategy"], "re-encrypt")
    opens(b, reader, s3ec.V3, plain)


def _vector(path):
    with open(path) as file:
        return json.load(file)


def _plain(length):
    return bytes((i * 31 + (i >> 8) * 7 + (i >> 16) * 3 + 13) % 256 for i in range(length))


def _stored_vector(b, vector):
    """Stores the vector's object and instruction files; its reader and its plain bytes."""
    if vector["key"].get("hex"):
        reader = aes(b, bytes.fromhex(vector["key"]["hex"]))
    else:
        reader = rsa_pair(b, serialization.load_der_private_key(bytes.fromhex(vector["key"]["pkcs8_der_hex"]), None))
    plain = _plain(vector["plaintext"]["length"])
    b.s3.put_object(**b.where(), Body=_body(vector, plain), Metadata=vector["object_metadata"])
    for suffix, file in vector["instruction_files"].items():
        b.s3.put_object(**b.where(b.name + suffix), Body=file["content"].encode(), Metadata=file.get("metadata", {}))
    return reader, plain


def _body(vector, plain):
    if vector.get("body_base64"):
        return base64.b64decode(vector["body_base64"])
    # A V3 vector in this repository holds its derived key instead of its bytes.
    key = bytes.fromhex(vector["hkdf"]["derived_encryption_key_hex"])
    return s3ec.AESGCM(key).encrypt(b"\1" * 12, plain, b"\0\x73")


def vector_rewraps(b, path, target):
    """An official client's instruction file gets a new wrap; further files stay as they are."""
    vector = _vector(path)
    suite, legacy = (s3ec.V3, []) if vector["format"] == "V3" else (s3ec.V2, ["--allow-legacy", "v2"])
    reader, plain = _stored_vector(b, vector)
    others = [b.name + suffix for suffix in vector["instruction_files"] if suffix != ".instruction"]
    before, shown, etag = [b.read(name) for name in others], rotation.beside(b), b.head()["ETag"]
    target = target(b)
    # AESWrap and OAEP with SHA-256 are outdated wraps: opening them takes the stronger word.
    outdated = ["--allow-legacy", "unauthenticated"] if vector["writer"].startswith("AWS SDK for Java 1") else legacy
    told = rotation.rotate(b, "--rewrap", *target.new, *reader.old, *outdated)
    equal("strategy", told["strategy"], "rewrap-instruction-file")
    opens(b, target, suite, plain)
    is_refused(b, reader, suite)
    equal("the object's ETag", b.head()["ETag"], etag)
    equal("everything else", rotation.beside(b), shown)
    equal("other readers' files", [b.read(name) for name in others], before)
    b.tool.get(b.name, *legacy, *reader.new if reader.kind == "aes" else ["--private-key", reader.old[1]], exit=KEY)


def vector_reseals(b, path):
    """What nothing authenticates is not vouched for by a new wrap; sealed anew, the strict client opens it."""
    reader, plain = _stored_vector(b, _vector(path))
    target = kms(b, b.peer.key)
    said = [word for word in reader.old if word != "--seal-plaintext"]
    line = [*target.new, *said, "--seal-plaintext", "--allow-legacy", "unauthenticated"]
    done = rotation.rotate(b, "--rewrap", *line, exit=USAGE)
    true("the message says why:\n" + done.stderr, "nothing authenticates its content" in done.stderr)
    equal("way", rotation.rotate(b, "-e", "client", "--new-data-key", *line)["strategy"], "re-encrypt")
    opens(b, target, s3ec.V3, plain)
    equal("objects there", rotation.keys(b, b.name), [b.name])


TARGETS = [lambda b: aes(b, bytes(range(32))), rsa_pair, lambda b: kms(b, b.peer.key)]
for _index, _path in enumerate(sorted(glob.glob(os.path.join(VECTORS, "*-instr-*.json")))):
    _file = os.path.basename(_path)[:-len(".json")]
    # The vectors' KMS was another one.
    if "-kms-" in _file:
        continue
    _cbc = _file.startswith(("javasdk1-v1eo-", "ruby-v1-"))
    add("rotate/vectors/" + _file, "localstack", (lambda b, path=_path: vector_reseals(b, path)) if _cbc else (
        lambda b, row=(_path, TARGETS[_index % 3]): vector_rewraps(b, *row)))


# What the SDK says of a refusal that is wanted is not to stand among the results.
logging.getLogger("aws_encryption_sdk").addHandler(logging.NullHandler())


def _sdk_opens(b, key):
    return esdk.Python(b).decrypt(b.read(), [key])


def _esdk_keys(b):
    return {"aes": esdk.Aes("peers", "backup", bytes(range(32))), "rsa": esdk.new_rsa("peers", "backup"),
            "kms": esdk.Kms(b.peer.key.arn), "other-aes": esdk.Aes("peers", "other", bytes(range(192, 224))),
            "other-kms": esdk.Kms(b.peer.other_key.arn)}


def _esdk_options(b, key, flag):
    if isinstance(key, esdk.Kms):
        return ["--%skms-key" % flag, key.arn]
    if isinstance(key, esdk.Rsa):
        return (["--from-private-key", "file:" + b.tool.key_file(key.private, "private.pem"), "--seal-plaintext"] if flag
                else ["--public-key", b.tool.file(key.public, "public.pem")])
    return ["--%skey" % flag, "file:" + b.tool.key_file(key.key, key.name)]


def esdk_rotates(b, origin, target):
    """The SDK wrote it; sealed anew for another key, the SDK opens it with that one and not with the old one."""
    plain, keys = content(LENGTH), _esdk_keys(b)
    old, new = keys[origin], keys[target]
    b.s3.put_object(**b.where(), Body=esdk.Python(b).encrypt(plain, [old], CONTEXT), Metadata={"owner": "me"})
    before = b.read()
    name = [] if isinstance(new, esdk.Kms) else ["--key-name", "%s/%s" % (new.namespace, new.name)]
    line = ["-e", "client", "--format", "esdk", *name, *_esdk_options(b, new, ""), *_esdk_options(b, old, "from-")]
    done = rotation.rotate(b, *line, exit=USAGE)
    true("the message says what would be lost:\n" + done.stderr, "encryption context (team) would be lost" in done.stderr)
    equal("what the SDK reads", _sdk_opens(b, old), (plain, CONTEXT))
    told = rotation.rotate(b, *line, "--context", "team=blue")
    equal("strategy", told["strategy"], "re-encrypt")
    equal("what the SDK reads", _sdk_opens(b, new), (plain, CONTEXT))
    true("the message is another one", b.read() != before)
    try:
        _sdk_opens(b, old)
    except AWSEncryptionSDKClientError:
        pass
    else:
        raise Failed("the SDK opened it with the old key")


for _origin, _target in (("aes", "other-aes"), ("aes", "rsa"), ("rsa", "kms"), ("kms", "other-kms"), ("kms", "aes")):
    add("rotate/esdk/%s-to-%s" % (_origin, _target), "localstack", lambda b, row=(_origin, _target): esdk_rotates(b, *row))
