"""One server as its clients see it: endpoint, trust, credentials, a bucket and KMS keys.

Why: boto3, the aws cli and s3seal must be pointed at the same server in the
same words, so that a difference found is the client's and not the set-up's.
Not here: starting servers (servers.py), driving the tool (tool.py).
"""

from collections import namedtuple

import boto3
from botocore.config import Config

REGION = "us-east-1"
BUCKET = "peers"
ALIAS = "alias/peers"

KmsKey = namedtuple("KmsKey", "id arn")


class Peer:
    """A server. `plain_url` is its http endpoint, where it has one; `keys_from` the peer that holds its KMS."""

    def __init__(self, name, url, plain_url, ca, credentials, keys_from=None, data_folder=None):
        self.name = name
        self.url = url
        self.plain_url = plain_url
        self.ca = ca
        self.credentials = credentials
        self.keys_from = keys_from or self
        self.data_folder = data_folder
        self.bucket = BUCKET
        self.key = None
        self.other_key = None
        self._clients = {}

    def furnish(self):
        """Makes the bucket and the KMS keys that the cases use."""
        self.s3().create_bucket(Bucket=self.bucket)
        if self.keys_from is not self:
            self.key, self.other_key = self.keys_from.key, self.keys_from.other_key
            return
        self.key, self.other_key = self.new_key(), self.new_key()
        self.kms().create_alias(AliasName=ALIAS, TargetKeyId=self.key.id)

    def new_key(self):
        """A new symmetric KMS key."""
        made = self.kms().create_key()["KeyMetadata"]
        return KmsKey(made["KeyId"], made["Arn"])

    def s3(self, patient=True):
        """The boto3 S3 client; an impatient one tries once and waits briefly."""
        if not patient:
            return self._client("s3", Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}))
        if "s3" not in self._clients:
            self._clients["s3"] = self._client("s3", Config(s3={"addressing_style": "path"}))
        return self._clients["s3"]

    def new_s3(self):
        """A client of its own, for what hangs handlers on it."""
        return self._client("s3", Config(s3={"addressing_style": "path"}))

    def exact_s3(self):
        """A client that sends what it is told and no more: no checksum of its own, one retry for a closed connection."""
        return self._client("s3", Config(
            s3={"addressing_style": "path"}, request_checksum_calculation="when_required",
            response_checksum_validation="when_required", retries={"total_max_attempts": 2}))

    def kms(self):
        """The boto3 KMS client."""
        if self.keys_from is not self:
            return self.keys_from.kms()
        if "kms" not in self._clients:
            self._clients["kms"] = self._client("kms", Config())
        return self._clients["kms"]

    def environment(self):
        """What s3seal and the aws cli need in their environment to reach this peer."""
        told = {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ENDPOINT_URL_KMS": self.keys_from.url,
            "AWS_CA_BUNDLE": self.ca,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.credentials[0],
            "AWS_SECRET_ACCESS_KEY": self.credentials[1],
            "AWS_EC2_METADATA_DISABLED": "true",
            "S3SEAL_CONFIG": "",
        }
        return told

    def _client(self, service, config):
        # LocalStack takes any credentials, so SeaweedFS's work for its keys as well.
        return boto3.client(
            service, endpoint_url=self.url, verify=self.ca, region_name=REGION, config=config,
            aws_access_key_id=self.credentials[0], aws_secret_access_key=self.credentials[1],
        )
