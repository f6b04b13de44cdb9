"""The server-side modes in the words of each client, and what each peer can truly do of them.

Why: the same object must be asked for in s3seal's, boto3's and the aws cli's
words, and what HEAD must then say belongs beside that.
Not here: what is done with them (cases_*.py). A mode that a peer only pretends
to know is not in its list: a round trip there would prove nothing.
"""

from collections import namedtuple

CUSTOMER_KEY = bytes(range(7, 39))

# seal, unseal: options of s3seal put and get. boto: arguments of a boto3 write;
# boto_read: of a read. cli: options of `aws s3 cp` upward; cli_read: downward.
# head: what HEAD must answer. Each takes the bench.
Mode = namedtuple("Mode", "name seal unseal boto boto_read cli cli_read head")


def _nothing(_):
    return {}


def _server_side(name, seal, boto, cli, head):
    return Mode(name, seal, lambda b: [], boto, _nothing, cli, lambda b: [], head)


def _kms(name, spelling, extra=(), boto_extra=(), cli_extra=(), head_extra=(), mode="sse-kms", algorithm="aws:kms"):
    """A mode with a KMS key; `spelling` makes its name from the peer."""
    return _server_side(
        name,
        lambda b: ["-e", mode, "--kms-key", spelling(b.peer), *extra],
        lambda b: {"ServerSideEncryption": algorithm, "SSEKMSKeyId": spelling(b.peer), **dict(boto_extra)},
        lambda b: ["--sse", algorithm, "--sse-kms-key-id", spelling(b.peer), *cli_extra],
        lambda b: {"ServerSideEncryption": algorithm, "SSEKMSKeyId": b.peer.key.arn, **dict(head_extra)},
    )


def _customer_key(b):
    return b.tool.key_file(CUSTOMER_KEY)


CUSTOMER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": CUSTOMER_KEY}

NONE = _server_side("none", lambda b: [], _nothing, lambda b: [], lambda b: (
    # Every new object in S3 is at least SSE-S3; SeaweedFS has no such default.
    {"ServerSideEncryption": None if b.peer.name == "seaweedfs" else "AES256"}))
SSE_S3 = _server_side(
    "sse-s3", lambda b: ["-e", "sse-s3"], lambda b: {"ServerSideEncryption": "AES256"},
    lambda b: ["--sse", "AES256"], lambda b: {"ServerSideEncryption": "AES256"})
SSE_KMS = _kms("sse-kms", lambda peer: peer.key.id)
SSE_KMS_ARN = _kms("sse-kms-arn", lambda peer: peer.key.arn)
SSE_KMS_CONTEXT = _kms(
    "sse-kms-context", lambda peer: peer.key.id, extra=["--context", "team=blue", "--context", "tier=1"],
    boto_extra={"SSEKMSEncryptionContext": "eyJ0ZWFtIjogImJsdWUifQ=="}.items())
SSE_KMS_BUCKET_KEY = _kms(
    "sse-kms-bucket-key", lambda peer: peer.key.arn, extra=["--bucket-key"],
    boto_extra={"BucketKeyEnabled": True}.items(), head_extra={"BucketKeyEnabled": True}.items())
SSE_KMS_ALIAS = _kms("sse-kms-alias", lambda peer: "alias/peers")
SSE_KMS_DEFAULT = _server_side(
    "sse-kms-default-key", lambda b: ["-e", "sse-kms"], lambda b: {"ServerSideEncryption": "aws:kms"},
    lambda b: ["--sse", "aws:kms"], lambda b: {"ServerSideEncryption": "aws:kms"})
DSSE_KMS = _kms("dsse-kms", lambda peer: peer.key.arn, mode="dsse-kms", algorithm="aws:kms:dsse")
SSE_C = Mode(
    "sse-c",
    lambda b: ["-e", "sse-c", "--sse-c-key", "file:" + _customer_key(b)],
    lambda b: ["--sse-c-key", "file:" + _customer_key(b)],
    lambda b: CUSTOMER,
    lambda b: CUSTOMER,
    lambda b: ["--sse-c", "AES256", "--sse-c-key", "fileb://" + _customer_key(b)],
    lambda b: ["--sse-c", "AES256", "--sse-c-key", "fileb://" + _customer_key(b)],
    lambda b: {"SSECustomerAlgorithm": "AES256", "ServerSideEncryption": None},
)

# What LocalStack echoes for an alias is no ARN of the key, and it names no key
# for DSSE-KMS: these two are compared without the key.
_LOCALSTACK_ALIAS = SSE_KMS_ALIAS._replace(head=lambda b: {"ServerSideEncryption": "aws:kms"})
_LOCALSTACK_DSSE = DSSE_KMS._replace(head=lambda b: {"ServerSideEncryption": "aws:kms:dsse"})
# SeaweedFS shows the bucket key only in the answer to a PUT.
_SEAWEEDFS_BUCKET_KEY = SSE_KMS_BUCKET_KEY._replace(head=SSE_KMS.head)

# The modes whose every size is tried, and the variants that differ only in headers.
MAIN = {
    "localstack": [NONE, SSE_S3, SSE_KMS, SSE_C],
    "seaweedfs": [NONE, SSE_S3, SSE_KMS, SSE_C],
}
VARIANTS = {
    "localstack": [SSE_KMS_ARN, _LOCALSTACK_ALIAS, SSE_KMS_CONTEXT, SSE_KMS_BUCKET_KEY, SSE_KMS_DEFAULT,
                   _LOCALSTACK_DSSE],
    # No SSE_KMS_DEFAULT (it answers 500) and no DSSE_KMS (it stores without it,
    # which cases_refusals.py uses).
    "seaweedfs": [SSE_KMS_ARN, SSE_KMS_ALIAS, SSE_KMS_CONTEXT, _SEAWEEDFS_BUCKET_KEY],
}
