"""Where the sandbox and LocalStack answer differently, each with the reason.

Why: a difference that is not written down is a mistake of one of them; one that
is written down and no longer there is a stale excuse. Both fail the contract.
Not here: the questions (contract_*.py) and the comparing (probes.py).
"""

# Why a whole group differs.
_DSSE = "S3 names the key under DSSE-KMS as well; LocalStack knows the mode by name only"
_PLAIN_WITH_KEY = "S3 refuses a customer key for an object that has none; LocalStack ignores it"
_ATTRIBUTES = "S3 leaves the number of parts away here, as LocalStack does; the sandbox is wrong, and nothing of ours reads it"
_ALGORITHM = "KMS names the algorithm; LocalStack leaves it out"
_BLOCKED = "S3 lists what a bucket blocks since 2025; LocalStack does so only when it was set"

# "PROBE STEP FIELD": (LocalStack's value, the sandbox's value, who is right and why)
DEVIATIONS = {
    **{"modes dsse-kms-%s x-amz-server-side-encryption-aws-kms-key-id" % step: (None, "<key arn>", _DSSE)
       for step in ("put", "head", "get")},
    **{"modes-multipart dsse-kms-%s x-amz-server-side-encryption-aws-kms-key-id" % step: (None, "<key arn>", _DSSE)
       for step in ("create", "part-1", "part-2", "complete", "head")},
    "sse-c-reading get-plain-with-key status": (200, 400, _PLAIN_WITH_KEY),
    "sse-c-reading get-plain-with-key code": (None, "InvalidRequest", _PLAIN_WITH_KEY),
    "sse-c-reading head-plain-with-key status": (200, 400, _PLAIN_WITH_KEY),
    "sse-c-reading head-plain-with-key code": (None, "400", _PLAIN_WITH_KEY),
    "kms-keys key-without-mode status": (200, 400, "S3 refuses a key id without aws:kms; LocalStack ignores it"),
    "kms-keys key-without-mode code": (None, "InvalidArgument", "S3's code for that"),
    "checksums-multipart CRC32-COMPOSITE-attributes Checksum": (
        {"ChecksumCRC32": "e2vlww==", "ChecksumType": "COMPOSITE"},
        {"ChecksumCRC32": "e2vlww==-2", "ChecksumType": "COMPOSITE"}, _ATTRIBUTES),
    "checksums-multipart SHA256-COMPOSITE-attributes Checksum": (
        {"ChecksumSHA256": "/agOvXgumZFNCnEj5RXbpyBQJQ+0n9btF5GDNQ+SO9A=", "ChecksumType": "COMPOSITE"},
        {"ChecksumSHA256": "/agOvXgumZFNCnEj5RXbpyBQJQ+0n9btF5GDNQ+SO9A=-2", "ChecksumType": "COMPOSITE"}, _ATTRIBUTES),
    "multipart-mistakes no-parts code": (
        "InvalidRequest", "MalformedXML", "S3's schema demands a part; LocalStack reads on and refuses later"),
    "versions get-absent status": (404, 400, "S3 refuses what is no version id before it looks; LocalStack looks"),
    "versions get-absent code": ("NoSuchVersion", "InvalidArgument", "S3's code for that"),
    "bucket-encryption fresh blocked": (None, {"EncryptionType": ["NONE"]}, _BLOCKED),
    "bucket-encryption kms blocked": (None, {"EncryptionType": ["NONE"]}, _BLOCKED),
    "bucket-encryption deleted blocked": (None, {"EncryptionType": ["NONE"]}, _BLOCKED),
    "bucket-encryption deleted mode": (None, "AES256", "S3 goes back to SSE-S3, LocalStack to nothing"),
    "bucket-encryption deleted bucket_key": (None, False, "as above"),
    "bucket-encryption put-deleted x-amz-server-side-encryption": (None, "AES256", "as above"),
    "data-keys decrypt EncryptionAlgorithm": (None, "SYMMETRIC_DEFAULT", _ALGORITHM),
    "encrypt encrypt EncryptionAlgorithm": (None, "SYMMETRIC_DEFAULT", _ALGORITHM),
    "aliases put x-amz-server-side-encryption-aws-kms-key-id": (
        "arn:aws:kms:us-east-1:000000000000:key/alias/contract", "<key arn>",
        "S3 resolves an alias; LocalStack puts it where the key id belongs"),
}
