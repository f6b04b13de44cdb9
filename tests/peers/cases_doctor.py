"""`s3seal doctor` on other servers: what it sees there both ways, and what it makes of questions that they do not know.

Why: harmless questions are put to calls at their edges, where servers differ most; none of them may look like a good
sign, or be in the way of what works.
Not here: each check with its remedy (tests/doctor), policies (tests/permissions): neither peer enforces those of users.
"""

import json

import modes
from checks import add, case, equal, true

OK, WARNING, FAILED = "ok", "warning", "failed"
MISSING, DENIED, KEY, DISTRUST = 3, 4, 5, 6
NO_DRY_RUNS = "is not known: this server does not know dry runs"


def both(name):
    """Registers the function below it for LocalStack and for SeaweedFS."""
    def register(body):
        for peer in ("localstack", "seaweedfs"):
            case("doctor/" + name, peer)(body)
        return body
    return register


class Seen:
    """The checks of one run."""

    def __init__(self, b, *words, place=None, exit=0, **changes):
        place = place or b.tool.uri(b.name + "/")
        self.done = b.tool.run("doctor", place, "--json", *words, exit=exit, **changes)
        documents = [json.loads(line) for line in self.done.stdout.splitlines()]
        equal("the last document", documents.pop()["record"], "summary")
        self.checks = documents

    def all(self, name):
        """Each check of this name, as state and text."""
        return [(one["state"], one["seen"]) for one in self.checks if one["check"] == name]

    def has(self, name, state, words=""):
        """Fails unless a check of this name has this state, and what was seen contains the words."""
        found = self.all(name)
        true("%s is %s with %r: %r" % (name, state, words, found),
             any(one == state and words in seen for one, seen in found))
        return self


def bucket(b, name, **how):
    """A bucket of the case's own."""
    name = "doctor-" + name
    b.s3.create_bucket(Bucket=name, **how)
    return name, "s3://" + name


def encrypt_by_default(b, name, **rule):
    """Sets the bucket's default encryption."""
    b.s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


@both("a-bucket-as-it-is")
def as_it_is(b):
    """Address, clock, TLS and permissions are as they should be; what AWS alone answers is not; nothing is written."""
    seen = Seen(b)
    seen.has("address", OK, b.peer.url).has("bucket", OK, b.bucket + " exists").has("clock", OK)
    seen.has("tls", OK, "TLS 1.3").has("key_exchange", OK, "X25519MLKEM768").has("proxy", OK, "none")
    seen.has("certificate", WARNING, "expires in 1 day")
    seen.has("credentials", WARNING, "access key %s; this server has no STS" % b.peer.credentials[0])
    seen.has("owner", WARNING, "the account of the credentials is not known")
    seen.has("versioning", WARNING, "never enabled").has("object_lock", OK, "not enabled")
    seen.has("plain_http", WARNING).has("incomplete_uploads", WARNING).has("leftovers", OK)
    equal("permissions", seen.all("permission"), [(OK, "s3:PutObject"), (OK, "s3:AbortMultipartUpload")])
    equal("written", (b.exists(), b.uploads()), (False, []))
    # Neither looks at the owner that a request names: that is no good sign.
    seen = Seen(b, "--expected-bucket-owner", "999988887777")
    seen.has("owner", WARNING, "this server does not compare owners")


@case("doctor/who-asks", "localstack")
def who_asks(b):
    """Its STS is at the same address, which is asked once that is set for it."""
    seen = Seen(b, AWS_ENDPOINT_URL_STS=b.peer.url)
    seen.has("credentials", OK, "arn:aws:iam::000000000000:root, access key test")


@both("missing-bucket")
def missing_bucket(b):
    """Exit 3, and the address is fine."""
    seen = Seen(b, place="s3://peers-absent", exit=MISSING)
    seen.has("bucket", FAILED, "peers-absent does not exist").has("address", OK)


@case("doctor/credentials/wrong-secret", "seaweedfs")
def wrong_secret(b):
    """SeaweedFS verifies signatures, LocalStack does not."""
    seen = Seen(b, exit=DENIED, AWS_SECRET_ACCESS_KEY="not" + b.peer.credentials[1])
    seen.has("credentials", FAILED, "does not match its access key")


@both("credentials/none")
def no_credentials(b):
    """No chain member has any."""
    seen = Seen(b, exit=DENIED, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    seen.has("credentials", FAILED, "no AWS credentials were found")


@case("doctor/certificate-of-an-unknown-authority", "localstack")
def unknown_authority(b):
    """The worst finding."""
    Seen(b, exit=DISTRUST, AWS_CA_BUNDLE=None).has("address", FAILED, "certificate is not trusted")


@both("settings")
def settings(b):
    """What a bucket is set to is seen: default encryption, versions, lock, policy, lifecycle."""
    name, place = bucket(b, "settings", ObjectLockEnabledForBucket=True)
    encrypt_by_default(b, name, ApplyServerSideEncryptionByDefault={
        "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": b.peer.key.arn})
    b.s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Sid": "a", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::" + name, "arn:aws:s3:::" + name + "/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}))
    b.s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [{
        "ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}}]})
    seen = Seen(b, place=place)
    seen.has("default_encryption", OK, "SSE-KMS, key " + b.peer.key.arn).has("versioning", OK, "enabled")
    seen.has("object_lock", OK, "for what asks for a lock").has("plain_http", OK, "denied by the bucket's policy")
    seen.has("policy", OK).has("incomplete_uploads", OK, "after 3 days")
    b.s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2}}})
    seen = Seen(b, "--write-test", place=place)
    seen.has("object_lock", WARNING, "each new object is locked for 2 days").has("write_test", WARNING, "not tried")
    equal("versions", b.s3.list_object_versions(Bucket=name).get("Versions", []), [])


@both("a-policy-that-denies-the-mode")
def denied_mode(b):
    """Seen in its text, whether the server enforces it (SeaweedFS) or not (LocalStack)."""
    name, place = bucket(b, "mode")
    b.s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Sid": "a", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::" + name + "/*",
        "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}}]}))
    seen = Seen(b, "-e", "sse-s3", place=place, exit=DENIED)
    seen.has("policy", FAILED, "writes must request aws:kms, not SSE-S3")
    seen = Seen(b, "-e", "sse-kms", "--kms-key", b.peer.key.arn, "--write-test", place=place)
    seen.has("policy", OK).has("write_test", OK, "stored in SSE-KMS")


@case("doctor/default-encryption", "localstack")
def default_encryption(b):
    """LocalStack has a default as S3 has one, and knows blocked modes."""
    Seen(b).has("default_encryption", OK, "SSE-S3")
    name, place = bucket(b, "blocked")
    encrypt_by_default(b, name, ApplyServerSideEncryptionByDefault={"SSEAlgorithm": "AES256"},
                       BlockedEncryptionTypes={"EncryptionType": ["SSE-C"]})
    key = b.tool.key_file(modes.CUSTOMER_KEY)
    Seen(b, "--sse-c-key", key, place=place, exit=DENIED).has("sse_c", FAILED, "blocks SSE-C")
    Seen(b, place=place).has("sse_c", OK, "blocked, and not asked for")


@case("doctor/default-encryption", "seaweedfs")
def no_default_encryption(b):
    """SeaweedFS has none until one is set."""
    Seen(b).has("default_encryption", WARNING, "this server has no such setting")


def write_test(words, stored, exit=0):
    """A case that stores a scratch object with these flags, and leaves nothing."""
    def body(b):
        state = OK if exit == 0 else FAILED
        Seen(b, *words(b), "--write-test", exit=exit).has("write_test", state, stored)
        listed = b.s3.list_objects_v2(Bucket=b.bucket, Prefix=b.name)
        equal("left behind", listed.get("Contents", []), [])
    return body


def _local(*words):
    return lambda b: [*words, "--key", b.tool.key_file(modes.CUSTOMER_KEY)]


_DECRYPTED = ", read, decrypted, compared and deleted"
_COMPARED = ", read, compared and deleted"
_CLIENT_KMS = (lambda b: ["-e", "client", "--kms-key", b.peer.key.arn], _DECRYPTED)
WRITE_TESTS = {
    "sse-s3": (modes.SSE_S3.seal, "stored in SSE-S3" + _COMPARED),
    "sse-kms": (modes.SSE_KMS_ARN.seal, _COMPARED),
    "sse-c": (modes.SSE_C.seal, _COMPARED),
    "client": (_local(), _DECRYPTED),
    "client-in-an-instruction-file": (_local("--instruction-file"), _DECRYPTED),
    "client-esdk": (_local("--format", "esdk"), _DECRYPTED),
    "client-kms": _CLIENT_KMS,
    "client-kms-esdk": (lambda b: [*_CLIENT_KMS[0](b), "--format", "esdk", "--context", "a=b"], _DECRYPTED),
}
for _name, (_words, _stored) in WRITE_TESTS.items():
    for _peer in ("localstack", "seaweedfs"):
        add("doctor/write-test/" + _name, _peer, write_test(_words, _stored))
add("doctor/write-test/dsse-kms", "localstack", write_test(modes.DSSE_KMS.seal, "stored in DSSE-KMS" + _COMPARED))
# SeaweedFS answers 200 and stores without it.
add("doctor/write-test/dsse-kms", "seaweedfs",
    write_test(modes.DSSE_KMS.seal, "is not encrypted as asked", exit=DISTRUST))


@both("kms/without-dry-runs")
def without_dry_runs(b):
    """LocalStack's KMS makes the request of a dry run, or misses the ciphertext: neither is an answer."""
    seen = Seen(b, *modes.SSE_KMS_ARN.seal(b))
    seen.has("kms_key", OK, b.peer.key.arn + ", enabled")
    equal("permissions", seen.all("kms_permissions"),
          [(WARNING, "%s %s" % (action, NO_DRY_RUNS)) for action in ("kms:GenerateDataKey", "kms:Decrypt")])
    seen = Seen(b, "--for", "rotate", *modes.SSE_KMS_ARN.seal(b))
    equal("states", {state for state, _ in seen.all("kms_permissions")}, {WARNING})
    Seen(b, "-e", "sse-kms", "--kms-key", "alias/peers").has("kms_key", OK, "alias/peers is " + b.peer.key.arn)


@both("kms/key-without-use")
def key_without_use(b):
    """Disabled, pending deletion, and none at all; the same for S3 and for us."""
    key = b.peer.keys_from.new_key()
    for mode in ("sse-kms", "client"):
        Seen(b, "-e", mode, "--kms-key", "00000000-0000-0000-0000-000000000000", exit=KEY).has("kms_key", FAILED)
    b.peer.kms().disable_key(KeyId=key.id)
    for mode in ("sse-kms", "client"):
        Seen(b, "-e", mode, "--kms-key", key.arn, exit=KEY).has("kms_key", FAILED, "is disabled")
    b.peer.kms().schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    Seen(b, "-e", "sse-kms", "--kms-key", key.arn, exit=KEY).has("kms_key", FAILED, "is pending deletion")


@both("keys-on-the-newest-object")
def newest_object(b):
    """The right key opens it, a wrong one is in the way; of SSE-C only the write test sends one."""
    right = b.tool.key_file(modes.CUSTOMER_KEY, "right")
    wrong = b.tool.key_file(bytes(reversed(modes.CUSTOMER_KEY)), "wrong")
    b.tool.put(b"text", b.name + "/o", "--key", right)
    Seen(b, "--for", "get", "--key", right).has("newest_object", OK, "opens with the key with fingerprint")
    Seen(b, "--for", "get", "--key", wrong, exit=KEY).has("newest_object", FAILED, "does not open")
    b.tool.put(b"text", b.name + "/o", "--sse-c-key", right)
    Seen(b, "--for", "get", "--sse-c-key", right).has("newest_object", WARNING, "was not sent to S3")
    Seen(b, "--for", "get", "--sse-c-key", right, "--write-test").has("newest_object", OK, "opens with the SSE-C key")
    Seen(b, "--for", "get", "--sse-c-key", wrong, "--write-test", exit=KEY).has("newest_object", FAILED)


@both("leftovers")
def leftovers(b):
    """An upload of today may belong to a run at work."""
    begun = b.s3.create_multipart_upload(**b.where(b.name + "/large"))["UploadId"]
    Seen(b).has("leftovers", OK, "none older than a day")
    b.s3.abort_multipart_upload(**b.where(b.name + "/large"), UploadId=begun)
