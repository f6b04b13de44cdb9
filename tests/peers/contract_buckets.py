"""What S3 answers about copies, listings, versions and a bucket's own encryption.

Why: rotate is made of copies, many of listings, and what no mode means of bucket settings.
Not here: single objects (contract_objects.py).
"""

from probes import CUSTOMER, OTHER_CUSTOMER, OTHER_SOURCE_CUSTOMER, SOURCE_CUSTOMER, probe


@probe("copies")
def copies(p):
    """From mode to mode, and what is refused."""
    kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": p.key.id}
    p.ask("put", "put_object", Body=b"abc", Metadata={"a": "1"}, Tagging="t=1", ServerSideEncryption="AES256")
    source = {"Bucket": p.bucket, "Key": "k"}
    p.ask("same", "copy_object", CopySource=source)
    p.ask("to-kms", "copy_object", Key="kms", CopySource=source, **kms)
    p.ask("to-kms-head", "head_object", "Metadata", Key="kms")
    p.ask("to-kms-tags", "get_object_tagging", "TagSet", Key="kms")
    p.ask("in-place", "copy_object", CopySource=source, **kms)
    p.ask("in-place-head", "head_object", "Metadata")
    p.ask("replace", "copy_object", Key="replaced", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"})
    p.ask("replace-head", "head_object", "Metadata", Key="replaced")
    p.ask("no-header", "copy_object", Key="plain", CopySource={"Bucket": p.bucket, "Key": "kms"})
    p.ask("no-header-head", "head_object", Key="plain")
    p.ask("if-match", "copy_object", Key="conditional", CopySource={"Bucket": p.bucket, "Key": "kms"},
          CopySourceIfMatch='"0123456789abcdef0123456789abcdef"')
    p.ask("if-none-match", "copy_object", Key="conditional", CopySource=source,
          CopySourceIfNoneMatch=p.s3.head_object(Bucket=p.bucket, Key="k")["ETag"])
    p.ask("no-source", "copy_object", Key="x", CopySource={"Bucket": p.bucket, "Key": "absent"})


@probe("copies-sse-c")
def copies_customer_key(p):
    """From customer key to customer key, in and out."""
    p.ask("put", "put_object", Body=b"abc", **CUSTOMER)
    source = {"Bucket": p.bucket, "Key": "k"}
    p.ask("rekey", "copy_object", Key="b", CopySource=source, **SOURCE_CUSTOMER, **OTHER_CUSTOMER)
    p.ask("rekey-get", "get_object", Key="b", **OTHER_CUSTOMER)
    p.ask("no-source-key", "copy_object", Key="c", CopySource=source, **OTHER_CUSTOMER)
    p.ask("wrong-source-key", "copy_object", Key="c", CopySource=source, **OTHER_SOURCE_CUSTOMER, **OTHER_CUSTOMER)
    p.ask("in-place", "copy_object", CopySource=source, **SOURCE_CUSTOMER, **OTHER_CUSTOMER)
    p.ask("in-place-get", "get_object", **OTHER_CUSTOMER)
    p.ask("to-sse-s3", "copy_object", Key="d", CopySource=source, ServerSideEncryption="AES256", **OTHER_SOURCE_CUSTOMER)
    p.ask("to-sse-s3-get", "get_object", Key="d")


@probe("part-copies")
def part_copies(p):
    """An object made of ranges of another."""
    p.ask("put", "put_object", Key="source", Body=b"x" * (6 << 20))
    source = {"Bucket": p.bucket, "Key": "source"}
    upload = p.ask("create", "create_multipart_upload", ServerSideEncryption="aws:kms", SSEKMSKeyId=p.key.id)["UploadId"]
    parts = []
    for number, span in ((1, "bytes=0-5242879"), (2, "bytes=5242880-6291455")):
        sent = p.ask("part-%d" % number, "upload_part_copy", UploadId=upload, PartNumber=number, CopySource=source,
                     CopySourceRange=span)
        parts.append({"PartNumber": number, "ETag": sent["CopyPartResult"]["ETag"]})
    p.ask("beyond", "upload_part_copy", UploadId=upload, PartNumber=3, CopySource=source, CopySourceRange="bytes=0-6291456")
    p.ask("no-source", "upload_part_copy", UploadId=upload, PartNumber=3, CopySource={"Bucket": p.bucket, "Key": "absent"})
    p.ask("complete", "complete_multipart_upload", UploadId=upload, MultipartUpload={"Parts": parts})
    p.ask("head", "head_object", "ContentLength")


@probe("listings")
def listings(p):
    """Pages, prefixes, folders."""
    for name in ("a", "b/1", "b/2", "c d+e"):
        p.ask("put " + name, "put_object", Key=name, Body=name.encode())

    def listed(step, **how):
        answer = p.ask(step, "list_objects_v2", "KeyCount", "IsTruncated", "MaxKeys", **how)
        p.note(step + " keys", keys=[(one["Key"], one["Size"]) for one in answer.get("Contents", [])],
               folders=[one["Prefix"] for one in answer.get("CommonPrefixes", [])])
        return answer

    listed("all")
    listed("prefix", Prefix="b/")
    listed("delimiter", Delimiter="/")
    listed("start-after", StartAfter="b/1")
    page = listed("page-one", MaxKeys=2)
    listed("page-two", MaxKeys=2, ContinuationToken=page["NextContinuationToken"])
    listed("nothing", Prefix="zzz")
    # Not before: LocalStack pages through the escaped form, where this comes first.
    p.ask("put-non-ascii", "put_object", Key="ü/☃", Body=b"abc")
    listed("non-ascii", Prefix="ü")


@probe("versions")
def versions(p):
    """Old bytes by their id, and delete markers."""
    p.ask("enable", "put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})
    p.ask("status", "get_bucket_versioning", "Status")
    old = p.ask("put-old", "put_object", Body=b"old", **CUSTOMER)["VersionId"]
    new = p.ask("put-new", "put_object", Body=b"new", ServerSideEncryption="AES256")["VersionId"]
    p.ask("get", "get_object")
    p.ask("get-old", "get_object", VersionId=old, **CUSTOMER)
    p.ask("head-old-no-key", "head_object", VersionId=old)
    p.ask("get-absent", "get_object", VersionId="absent")
    p.ask("delete", "delete_object")
    p.ask("get-deleted", "get_object")
    p.ask("head-deleted", "head_object")
    p.ask("get-below-the-marker", "get_object", VersionId=new)
    listed = p.ask("list", "list_object_versions")
    p.note("listed", versions=[(one["Key"], one["IsLatest"], one["Size"]) for one in listed["Versions"]],
           markers=[(one["Key"], one["IsLatest"]) for one in listed["DeleteMarkers"]])
    p.ask("delete-old", "delete_object", VersionId=old)
    p.ask("get-deleted-version", "get_object", VersionId=old, **CUSTOMER)


@probe("bucket-encryption")
def bucket_encryption(p):
    """The default that applies where a request names no mode."""
    _note_settings(p, "fresh")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": p.key.arn}
    p.ask("set-kms", "put_bucket_encryption", ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]})
    _note_settings(p, "kms")
    p.ask("put", "put_object", Body=b"abc")
    p.ask("head", "head_object")
    p.ask("put-sse-s3", "put_object", Key="s3", Body=b"abc", ServerSideEncryption="AES256")
    p.ask("put-sse-c", "put_object", Key="c", Body=b"abc", **CUSTOMER)
    p.upload("multipart", key="m")
    p.ask("delete", "delete_bucket_encryption")
    _note_settings(p, "deleted")
    p.ask("put-deleted", "put_object", Key="d", Body=b"abc")


def _note_settings(p, step):
    """The bucket's rule, field by field."""
    settings = p.s3.get_bucket_encryption(Bucket=p.bucket)["ServerSideEncryptionConfiguration"]
    rule = settings.get("Rules", [{}])[0]
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    p.note(step, mode=default.get("SSEAlgorithm"), key=default.get("KMSMasterKeyID"),
           bucket_key=rule.get("BucketKeyEnabled"), blocked=rule.get("BlockedEncryptionTypes"))
