"""The whole life of one object: through every mode and key, and at the end nothing but time has passed.

Why: each step alone can be right while what it leaves behind makes the next one wrong.
Not here: the steps by themselves (cases_rotate.py), what official clients open (cases_rotate_formats.py).
"""

import rotation
import s3ec
from bench import MIB, content
from checks import case, equal
from modes import CUSTOMER
from cases_rotate_formats import aes, kms, opens, rsa_pair

OTHER_CUSTOMER = {**CUSTOMER, "SSECustomerKey": bytes(range(160, 192))}


@case("rotate/life", "localstack")
def life(b):
    """Each step opens with its own key, and the official client opens what is s3ec."""
    plain = content(6 * MIB)
    a, c, d = (aes(b, key) for key in (CUSTOMER["SSECustomerKey"], OTHER_CUSTOMER["SSECustomerKey"], bytes(range(96, 128))))
    pair, master = rsa_pair(b), kms(b, b.peer.key)
    sse_c = lambda key: ["--sse-c-key", key.new[1]]  # noqa: E731
    phrase = "file:" + b.tool.key_file(b"correct horse battery staple", "phrase")
    # To, way, what get needs, how boto3 asks, which official client opens it.
    steps = [
        (["-e", "sse-kms", "--kms-key", b.peer.key.arn], "server-copy", [], {}, None),
        (["-e", "sse-kms", "--kms-key", b.peer.other_key.arn], "server-copy", [], {}, None),
        (sse_c(a), "server-copy", sse_c(a), CUSTOMER, None),
        ([*sse_c(c), "--from-sse-c-key", a.old[1]], "server-copy", sse_c(c), OTHER_CUSTOMER, None),
        (["-e", "client", *d.new, "--from-sse-c-key", c.old[1]], "re-encrypt", d.new, {}, d),
        (["--rewrap", *pair.new, *d.old], "rewrap", ["--private-key", pair.old[1]], {}, pair),
        (["--rewrap", *master.new, *pair.old], "rewrap", master.new, {}, master),
        (["--rewrap", "--passphrase=" + phrase, *master.old], "rewrap", ["--passphrase=" + phrase], {}, None),
        (["-e", "client", "--format", "esdk", *a.new, "--from-passphrase=" + phrase], "re-encrypt", a.new, {}, None),
        (["-e", "dsse-kms", *a.old], "re-encrypt", [], {}, None),
        (["-e", "sse-s3"], "server-copy", [], {}, None),
    ]
    rotation.store(b, plain, ServerSideEncryption="AES256", ACL="public-read", ChecksumAlgorithm="SHA256")
    before, sums = rotation.beside(b), rotation.checksums(b)
    for options, way, opening, asking, client in steps:
        equal("way", rotation.rotate(b, *options, "--verify")["strategy"], way)
        equal("what s3seal reads", b.tool.get(b.name, *opening), plain)
        equal("everything else", rotation.beside(b, **asking), before)
        if client:
            opens(b, client, s3ec.V3, plain)
        # LocalStack names no key under DSSE-KMS: that it is there already cannot be seen.
        if "dsse-kms" not in options:
            equal("the second time", rotation.rotate(b, *options)["strategy"], "none")
    equal("what boto3 reads", b.read(), plain)
    equal("checksums", rotation.checksums(b), sums)
    equal("objects there", rotation.keys(b, b.name), [b.name])
