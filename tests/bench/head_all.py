"""Looks at every object below s3://BUCKET/PREFIX with boto3, in 32 threads, and writes a line for each.

What people write who have no tool for it. Not here: anything else.
"""

import concurrent.futures
import json
import sys

import boto3
import botocore.config

bucket, prefix = sys.argv[1].removeprefix("s3://").split("/", 1)
s3 = boto3.client("s3", config=botocore.config.Config(max_pool_connections=32))


def look(key):
    answer = s3.head_object(Bucket=bucket, Key=key)
    return {"key": key, "mode": answer.get("ServerSideEncryption"), "kms_key": answer.get("SSEKMSKeyId")}


pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + "/")
keys = (entry["Key"] for page in pages for entry in page.get("Contents", []))
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    for row in pool.map(look, keys):
        print(json.dumps(row))
