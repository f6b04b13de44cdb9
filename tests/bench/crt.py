"""Sends or fetches one object through the AWS Common Runtime (CRT), as boto3 and the aws cli do where they use it.

    crt.py put|get BUCKET KEY FILE

Why by itself: version 1 of the aws cli has no CRT, version 2 is in no package
index, and boto3 hands the CRT neither an endpoint nor a CA bundle and then goes
on without it. Parts and parallelism are the CRT's own. Not here: measuring.
"""

import os
import sys

from botocore.session import Session
from s3transfer import crt

verb, bucket, key, path = sys.argv[1:]
session = Session()
region = os.environ["AWS_REGION"]
credentials = crt.BotocoreCRTCredentialsWrapper(session.get_credentials()).to_crt_credentials_provider()
client = crt.create_s3_crt_client(region, credentials, verify=os.environ["AWS_CA_BUNDLE"])
serializer = crt.BotocoreCRTRequestSerializer(
    session, {"region_name": region, "endpoint_url": os.environ["AWS_ENDPOINT_URL"]}
)
with crt.CRTTransferManager(client, serializer) as manager:
    move = manager.upload(path, bucket, key) if verb == "put" else manager.download(bucket, key, path)
    move.result()
