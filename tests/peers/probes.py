"""Asks two servers the same and compares what they answered.

Why: the sandbox is our own idea of S3, and an idea drifts; a server written by
others, asked by a client written by others, keeps it honest.
Not here: the questions (contract_*.py), the known differences (deviations.py).
"""

import re

import botocore.exceptions

import checks
from deviations import DEVIATIONS
from modes import CUSTOMER_KEY

OTHER_KEY = bytes(reversed(CUSTOMER_KEY))
CUSTOMER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": CUSTOMER_KEY}
OTHER_CUSTOMER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": OTHER_KEY}
SOURCE_CUSTOMER = {"CopySource" + name: value for name, value in CUSTOMER.items()}
OTHER_SOURCE_CUSTOMER = {"CopySource" + name: value for name, value in OTHER_CUSTOMER.items()}

# The headers whose values are S3's meaning; all others are the server's own affair.
HEADERS = (
    "x-amz-server-side-encryption", "x-amz-checksum-", "x-amz-mp-parts-count", "x-amz-storage-class",
    "x-amz-delete-marker", "x-amz-tagging-count", "x-amz-meta-", "content-range", "content-type",
    "content-encoding", "content-disposition", "cache-control",
)


class Probe:
    """One server under question; `seen` maps each step to what it answered."""

    def __init__(self, peer, bucket):
        self.peer = peer
        self.bucket = bucket
        self.s3 = peer.exact_s3()
        self.kms = peer.kms()
        self.key = peer.new_key()
        self.seen = {}
        self.s3.create_bucket(Bucket=bucket)

    def ask(self, step, operation, *fields, client=None, **arguments):
        """Makes one call; notes status, error code, headers, and the named fields of the answer; returns the answer.

        Object calls get the bucket of the probe and the key "k" unless told otherwise.
        """
        if client is None:
            client = self.s3
            arguments.setdefault("Bucket", self.bucket)
            if "Key" in client.meta.service_model.operation_model(_camel(operation)).input_shape.members:
                arguments.setdefault("Key", "k")
        try:
            answer = getattr(client, operation)(**arguments)
        except botocore.exceptions.ClientError as error:
            answer = None
            note = {"status": error.response["ResponseMetadata"]["HTTPStatusCode"],
                    "code": error.response["Error"]["Code"]}
        else:
            meta = answer["ResponseMetadata"]
            note = {"status": meta["HTTPStatusCode"]}
            for name, value in meta["HTTPHeaders"].items():
                if name.startswith(HEADERS) and self._tells(client, operation, name):
                    note[name] = self._plain(value)
            for field in fields:
                note[field] = self._plain(answer.get(field))
            if "Body" in answer:
                note["body"] = answer["Body"].read()
        if step in self.seen:
            raise ValueError("two steps are named " + step)
        self.seen[step] = note
        return answer

    def ask_kms(self, step, operation, *fields, **arguments):
        """One call to KMS."""
        return self.ask(step, operation, *fields, client=self.kms, **arguments)

    def note(self, step, **found):
        """Notes what a probe found out by itself."""
        self.seen[step] = {name: self._plain(value) for name, value in found.items()}

    def upload(self, step, parts=(b"x",), create=None, each=None, complete=None, key="k"):
        """A whole multipart upload, noted as STEP-create, -part-N and -complete; the answer to the last."""
        begun = self.ask(step + "-create", "create_multipart_upload", Key=key, **(create or {}))
        if begun is None:
            return None
        listed = []
        for number, part in enumerate(parts, 1):
            sent = self.ask("%s-part-%d" % (step, number), "upload_part", Key=key, UploadId=begun["UploadId"],
                            PartNumber=number, Body=part, **(each or {}))
            if sent is None:
                return None
            listed.append({"PartNumber": number, **{name: value for name, value in sent.items()
                                                    if name == "ETag" or name.startswith("Checksum")}})
        return self.ask(step + "-complete", "complete_multipart_upload", Key=key, UploadId=begun["UploadId"],
                        MultipartUpload={"Parts": listed}, **(complete or {}))

    @staticmethod
    def _tells(client, operation, header):
        if header == "x-amz-tagging-count":
            # On HEAD it is new: LocalStack has it in its latest release, the sandbox's protocol library not yet.
            return operation == "get_object"
        # An error page's or an XML answer's type is not the object's.
        return not header.startswith("content-") or operation in ("get_object", "head_object")

    def _plain(self, value):
        """The value with what differs from run to run replaced by names."""
        if isinstance(value, str):
            value = value.replace(self.key.arn, "<key arn>").replace(self.key.id, "<key id>")
            return re.sub(r"^arn:aws:kms:[a-z0-9-]+:\d{12}:key/[0-9a-f-]{36}$", "<another key's arn>", value)
        if isinstance(value, dict):
            return {name: self._plain(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._plain(one) for one in value]
        return value


def probe(name):
    """Registers the function below it as a contract; it is called with one Probe for each server."""
    def register(body):
        checks.add("contract/" + name, "sandbox+localstack", lambda b: _compare(name, body, b.peers))
        return body
    return register


def _compare(name, body, peers):
    found = {}
    for peer in ("localstack", "sandbox"):
        one = Probe(peers[peer], "contract-" + name)
        body(one)
        found[peer] = one.seen
    listed = {place: rest for place, rest in DEVIATIONS.items() if place.split(" ")[0] == name}
    problems = []
    for step in sorted(set(found["localstack"]) | set(found["sandbox"])):
        theirs, ours = found["localstack"].get(step), found["sandbox"].get(step)
        if theirs is None or ours is None:
            theirs, ours = {"asked": theirs is not None}, {"asked": ours is not None}
        # Where one refuses and the other does not, all else differs as a matter of course.
        outcome = {"status", "code"} if theirs.get("status") != ours.get("status") else set(theirs) | set(ours)
        for field in sorted(outcome):
            place = "%s %s %s" % (name, step, field)
            pair = (theirs.get(field), ours.get(field))
            known = listed.pop(place, None)
            if known is None:
                if pair[0] != pair[1]:
                    problems.append("%s: LocalStack %r, the sandbox %r" % (place, *pair))
            elif pair != known[:2]:
                problems.append("%s: listed as LocalStack %r, the sandbox %r; found %r, %r" % (place, *known[:2], *pair))
    for place in listed:
        problems.append("%s: listed, but no such answer was given" % place)
    if problems:
        raise checks.Failed("\n".join(problems))


def _camel(operation):
    return "".join(word.capitalize() for word in operation.split("_"))
