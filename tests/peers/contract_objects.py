"""What S3 answers about objects: modes, keys, conditions, ranges, checksums.

Why: every request that s3seal's put, get and inspect make stands on one of these.
Not here: copies, versions, listings and bucket settings (contract_buckets.py), KMS by itself (contract_kms.py).
"""

import base64
import hashlib

from probes import CUSTOMER, OTHER_CUSTOMER, probe

MIB = 1 << 20


def _md5(value):
    return base64.b64encode(hashlib.md5(value).digest()).decode()


def _modes(p):
    """Each mode's name and what asks for it."""
    return {
        "none": {},
        "sse-s3": {"ServerSideEncryption": "AES256"},
        "sse-kms": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": p.key.id},
        "sse-kms-arn": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": p.key.arn},
        "sse-kms-bucket-key": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": p.key.arn, "BucketKeyEnabled": True},
        "sse-kms-default-key": {"ServerSideEncryption": "aws:kms"},
        "dsse-kms": {"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": p.key.arn},
        "sse-c": CUSTOMER,
    }


def _reading(asked):
    return CUSTOMER if asked is CUSTOMER else {}


@probe("modes")
def modes(p):
    """One PUT in each mode, looked at and fetched."""
    for name, asked in _modes(p).items():
        p.ask(name + "-put", "put_object", Key=name, Body=b"abc", **asked)
        p.ask(name + "-head", "head_object", "ContentLength", Key=name, **_reading(asked))
        p.ask(name + "-get", "get_object", Key=name, **_reading(asked))


@probe("modes-multipart")
def modes_multipart(p):
    """A multipart upload in each mode: what create, part, complete and HEAD say."""
    for name, asked in _modes(p).items():
        customer = _reading(asked)
        p.upload(name, [b"x" * 5 * MIB, b"y"], create=asked, each=customer, complete=customer, key=name)
        p.ask(name + "-head", "head_object", "ContentLength", Key=name, **customer)


@probe("sse-c-reading")
def customer_key_reading(p):
    """No key, another key, a key for what has none."""
    p.ask("put", "put_object", Body=b"abc", **CUSTOMER)
    p.ask("get-no-key", "get_object")
    p.ask("head-no-key", "head_object")
    p.ask("get-other-key", "get_object", **OTHER_CUSTOMER)
    p.ask("head-other-key", "head_object", **OTHER_CUSTOMER)
    p.ask("range-other-key", "get_object", Range="bytes=0-0", **OTHER_CUSTOMER)
    p.ask("attributes-no-key", "get_object_attributes", ObjectAttributes=["ObjectSize"])
    p.ask("put-plain", "put_object", Key="plain", Body=b"abc")
    p.ask("get-plain-with-key", "get_object", Key="plain", **CUSTOMER)
    p.ask("head-plain-with-key", "head_object", Key="plain", **CUSTOMER)


@probe("sse-c-malformed")
def customer_key_malformed(p):
    """Keys and headers that S3 refuses."""
    key = CUSTOMER["SSECustomerKey"]
    p.ask("key-of-16-bytes", "put_object", Body=b"abc", SSECustomerAlgorithm="AES256", SSECustomerKey=key[:16])
    p.ask("wrong-md5", "put_object", Body=b"abc", SSECustomerKeyMD5=_md5(b"other"),
          SSECustomerAlgorithm="AES256", SSECustomerKey=base64.b64encode(key).decode())
    p.ask("other-algorithm", "put_object", Body=b"abc", SSECustomerAlgorithm="AES512", SSECustomerKey=key)
    p.ask("with-sse-s3", "put_object", Body=b"abc", ServerSideEncryption="AES256", **CUSTOMER)
    p.ask("nothing-stored", "head_object")


@probe("sse-c-parts")
def customer_key_parts(p):
    """Every part needs the key that the upload began with."""
    upload = p.ask("create", "create_multipart_upload", **CUSTOMER)["UploadId"]
    p.ask("part-no-key", "upload_part", UploadId=upload, PartNumber=1, Body=b"abc")
    p.ask("part-other-key", "upload_part", UploadId=upload, PartNumber=1, Body=b"abc", **OTHER_CUSTOMER)
    p.ask("abort", "abort_multipart_upload", UploadId=upload)


@probe("kms-keys")
def kms_keys(p):
    """Keys that cannot be used, at write and at read."""
    kms = {"ServerSideEncryption": "aws:kms"}
    missing = "00000000-0000-0000-0000-000000000000"
    p.ask("unknown-id", "put_object", Body=b"abc", SSEKMSKeyId=missing, **kms)
    p.ask("unknown-arn", "put_object", Body=b"abc", SSEKMSKeyId=p.key.arn.replace(p.key.id, missing), **kms)
    p.ask("key-without-mode", "put_object", Body=b"abc", SSEKMSKeyId=p.key.id)
    p.ask("put", "put_object", Body=b"abc", SSEKMSKeyId=p.key.id, **kms)
    p.ask_kms("disable", "disable_key", KeyId=p.key.id)
    p.ask("put-disabled", "put_object", Key="other", Body=b"abc", SSEKMSKeyId=p.key.id, **kms)
    p.ask("create-disabled", "create_multipart_upload", Key="other", SSEKMSKeyId=p.key.id, **kms)
    p.ask("get-disabled", "get_object")
    p.ask("head-disabled", "head_object")
    p.ask_kms("enable", "enable_key", KeyId=p.key.id)
    p.ask("get-enabled-again", "get_object")
    p.ask_kms("schedule", "schedule_key_deletion", KeyId=p.key.id, PendingWindowInDays=7)
    p.ask("put-pending", "put_object", Key="other", Body=b"abc", SSEKMSKeyId=p.key.id, **kms)
    p.ask("get-pending", "get_object")


@probe("missing")
def missing(p):
    """No such object, bucket, upload."""
    p.ask("get", "get_object")
    p.ask("head", "head_object")
    p.ask("delete", "delete_object")
    for operation in ("get_object", "head_object", "list_objects_v2", "head_bucket"):
        p.ask(operation + "-no-bucket", operation, Bucket="contract-absent")
    p.ask("put-no-bucket", "put_object", Bucket="contract-absent", Body=b"abc")
    p.ask("create-no-bucket", "create_multipart_upload", Bucket="contract-absent")
    p.ask("part-no-upload", "upload_part", UploadId="absent", PartNumber=1, Body=b"abc")
    p.ask("complete-no-upload", "complete_multipart_upload", UploadId="absent",
          MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": '"0"'}]})
    p.ask("abort-no-upload", "abort_multipart_upload", UploadId="absent")


@probe("conditions")
def conditions(p):
    """If-Match and If-None-Match on reads and writes."""
    etag = p.ask("put", "put_object", Body=b"abc")["ETag"]
    p.ask("put-if-absent", "put_object", Body=b"other", IfNoneMatch="*")
    p.ask("put-if-absent-where-absent", "put_object", Key="new", Body=b"abc", IfNoneMatch="*")
    p.ask("put-if-match-other", "put_object", Body=b"other", IfMatch='"0123456789abcdef0123456789abcdef"')
    p.ask("put-if-match-where-absent", "put_object", Key="absent", Body=b"abc", IfMatch=etag)
    p.ask("put-if-match", "put_object", Body=b"abc", IfMatch=etag)
    p.ask("get-if-match", "get_object", IfMatch=etag)
    p.ask("get-if-match-other", "get_object", IfMatch='"0123456789abcdef0123456789abcdef"')
    p.ask("get-if-none-match", "get_object", IfNoneMatch=etag)
    p.upload("if-absent", complete={"IfNoneMatch": "*"})
    p.upload("if-match-other", complete={"IfMatch": '"0123456789abcdef0123456789abcdef"'})
    p.upload("if-match", complete={"IfMatch": etag})


@probe("ranges")
def ranges(p):
    """Ranges and parts of an object."""
    p.upload("put", [b"x" * 5 * MIB, b"yz"])
    for name, value in {"first": "bytes=0-0", "open": "bytes=5242879-", "suffix": "bytes=-3",
                        "clamped": "bytes=5242879-9999999", "beyond": "bytes=5242882-"}.items():
        p.ask(name, "get_object", "ContentLength", Range=value)
    p.ask("part", "get_object", PartNumber=2)
    p.ask("part-head", "head_object", "ContentLength", PartNumber=1)
    p.ask("part-absent", "head_object", PartNumber=3)
    p.ask("put-empty", "put_object", Key="empty", Body=b"")
    p.ask("empty", "get_object", Key="empty")
    p.ask("empty-range", "get_object", Key="empty", Range="bytes=0-")


@probe("checksums")
def checksums(p):
    """What is kept of a checksum, and what a wrong one leads to."""
    for algorithm, value in (("CRC32", "NSRBwg=="), ("CRC32C", "Nks/tw=="), ("CRC64NVME", "BeXKuz/B+us="),
                             ("SHA1", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
                             ("SHA256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")):
        # As a header: LocalStack takes a CRC32C trailer for two checksums.
        p.ask(algorithm + "-put", "put_object", Key=algorithm, Body=b"abc", **{"Checksum" + algorithm: value})
        p.ask(algorithm + "-head", "head_object", Key=algorithm, ChecksumMode="ENABLED")
        p.ask(algorithm + "-get", "get_object", Key=algorithm, ChecksumMode="ENABLED")
    p.ask("none-put", "put_object", Key="none", Body=b"abc")
    p.ask("none-head", "head_object", Key="none", ChecksumMode="ENABLED")
    p.ask("none-head-unasked", "head_object", Key="none")
    p.ask("wrong-crc64nvme", "put_object", Key="wrong", Body=b"abc", ChecksumCRC64NVME="AAAAAAAAAAA=")
    p.ask("wrong-sha256", "put_object", Key="wrong", Body=b"abc", ChecksumSHA256=base64.b64encode(bytes(32)).decode())
    p.ask("wrong-md5", "put_object", Key="wrong", Body=b"abc", ContentMD5=_md5(b"other"))
    p.ask("nothing-stored", "head_object", Key="wrong")


@probe("checksums-multipart")
def checksums_multipart(p):
    """Of the whole object or of its parts, and what each algorithm can."""
    parts = [b"x" * 5 * MIB, b"y"]
    for algorithm, kind in (("CRC64NVME", "FULL_OBJECT"), ("CRC32", "FULL_OBJECT"), ("CRC32", "COMPOSITE"),
                            ("SHA256", "COMPOSITE"), ("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")):
        step = "%s-%s" % (algorithm, kind)
        p.upload(step, parts, create={"ChecksumAlgorithm": algorithm, "ChecksumType": kind},
                 each={"ChecksumAlgorithm": algorithm}, complete={"ChecksumType": kind}, key=step)
        p.ask(step + "-head", "head_object", Key=step, ChecksumMode="ENABLED")
        p.ask(step + "-attributes", "get_object_attributes", "Checksum", Key=step, ObjectAttributes=["Checksum"])
    p.upload("wrong", parts, create={"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"},
             each={"ChecksumAlgorithm": "CRC64NVME"},
             complete={"ChecksumType": "FULL_OBJECT", "ChecksumCRC64NVME": "AAAAAAAAAAA="}, key="wrong")
    p.ask("wrong-head", "head_object", Key="wrong")


@probe("multipart-mistakes")
def multipart_mistakes(p):
    """Parts that do not make an object."""
    p.upload("small-part", [b"x", b"y"])
    upload = p.ask("create", "create_multipart_upload")["UploadId"]
    first = p.ask("part", "upload_part", UploadId=upload, PartNumber=1, Body=b"x" * 5 * MIB)["ETag"]
    second = p.ask("second", "upload_part", UploadId=upload, PartNumber=2, Body=b"y")["ETag"]
    wrong = '"0123456789abcdef0123456789abcdef"'
    for step, parts in {"wrong-etag": [(1, wrong)], "missing-part": [(1, first), (3, second)],
                        "wrong-order": [(2, second), (1, first)]}.items():
        p.ask(step, "complete_multipart_upload", UploadId=upload,
              MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts]})
    p.ask("no-parts", "complete_multipart_upload", UploadId=upload, MultipartUpload={"Parts": []})
    p.ask("part-zero", "upload_part", UploadId=upload, PartNumber=0, Body=b"x")
    p.ask("part-10001", "upload_part", UploadId=upload, PartNumber=10001, Body=b"x")
    listed = p.ask("list-parts", "list_parts", UploadId=upload)
    p.note("parts", parts=[(one["PartNumber"], one["Size"]) for one in listed["Parts"]])
    p.ask("abort", "abort_multipart_upload", UploadId=upload)
    p.ask("abort-again", "abort_multipart_upload", UploadId=upload)
    p.ask("part-after-abort", "upload_part", UploadId=upload, PartNumber=1, Body=b"x")
    left = p.ask("list-uploads", "list_multipart_uploads").get("Uploads", [])
    p.note("uploads left", keys=[one["Key"] for one in left])


@probe("attributes")
def attributes(p):
    """What travels with an object beside its bytes."""
    p.ask("put", "put_object", Body=b"abc", ContentType="text/x-y", CacheControl="no-store", ContentEncoding="identity",
          ContentDisposition="inline", Metadata={"One": "1", "two": "a b"}, StorageClass="STANDARD_IA", Tagging="a=1&b=2")
    p.ask("head", "head_object", "Metadata")
    p.ask("get", "get_object")
    p.ask("tags", "get_object_tagging", "TagSet")
    p.ask("put-tags", "put_object_tagging", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    p.ask("tags-again", "get_object_tagging", "TagSet")
    p.ask("all", "get_object_attributes", "ObjectSize", "StorageClass", "Checksum",
          ObjectAttributes=["ObjectSize", "StorageClass", "Checksum"])
    p.ask("storage-class-unknown", "put_object", Key="unknown", Body=b"abc", StorageClass="NOWHERE")
