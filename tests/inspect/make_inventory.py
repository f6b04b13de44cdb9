"""Makes the S3 Inventory reports that tests/inspect.rs audits, with libraries that are not s3seal's.

    python3 -m venv venv && venv/bin/pip install pandas pyarrow
    venv/bin/python tests/inspect/make_inventory.py

Writes tests/inspect/inventory/{csv,parquet}/: manifests and data files as Amazon S3 lays them out ("Amazon S3 Inventory"
in the S3 user guide). The objects are those that the test puts into its bucket; a replaced version and a delete marker
stand beside them, which an audit of what is newest must pass over.
"""

import csv
import gzip
import hashlib
import io
import json
import pathlib
import urllib.parse

import pandas
import pyarrow
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent / "inventory"
DAY = pandas.Timestamp("2026-10-01T01:00:00Z")

OBJECTS = [
    ("/lead", 30, "SSE-S3", "DISABLED"),
    ("db/a.sql", 3000, "SSE-KMS", "ENABLED"),
    ("db/b.sql", 2000, "DSSE-KMS", "DISABLED"),
    ("db/c.sql", 1000, "SSE-C", "DISABLED"),
    *((f"many/{number:03}", number, "SSE-S3", "DISABLED") for number in range(40)),
    ('odd\nkey,"x" \x1b[2J', 20, "SSE-S3", "DISABLED"),
    ("old/plain.txt", 500, "NOT-SSE", "DISABLED"),
    ("größe 1+1.bin", 10, "SSE-S3", "DISABLED"),
]

COLUMNS = {  # names in CSV reports and in Parquet ones
    "Bucket": "bucket",
    "Key": "key",
    "VersionId": "version_id",
    "IsLatest": "is_latest",
    "IsDeleteMarker": "is_delete_marker",
    "Size": "size",
    "LastModifiedDate": "last_modified_date",
    "ETag": "e_tag",
    "StorageClass": "storage_class",
    "EncryptionStatus": "encryption_status",
    "BucketKeyStatus": "bucket_key_status",
}


def rows():
    def row(key, size, status, bucket_key, latest=True, deleted=False):
        etag = hashlib.md5(key.encode()).hexdigest()
        version = hashlib.md5(f"{key}{latest}{deleted}".encode()).hexdigest()
        day = DAY if not deleted else DAY + pandas.Timedelta(days=1)
        return ("demo", key, version, latest, deleted, size, day, etag, "STANDARD", status, bucket_key)

    for key, size, status, bucket_key in OBJECTS:
        yield row(key, size, status, bucket_key)
        if key == "db/a.sql":
            yield row(key, 7, "SSE-S3", "DISABLED", latest=False)
    yield row("deleted", None, None, None, deleted=True)


def manifest(folder, file_format, schema, files):
    described = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        key = f"reports/demo/all/data/{name}"
        md5 = hashlib.md5(content).hexdigest()
        described.append({"key": key, "size": len(content), "MD5checksum": md5})
    text = {
        "sourceBucket": "demo",
        "destinationBucket": "arn:aws:s3:::reports",
        "version": "2016-11-30",
        "creationTimestamp": str(int(DAY.timestamp() * 1000)),
        "fileFormat": file_format,
        "fileSchema": schema,
        "files": described,
    }
    (folder / "manifest.json").write_text(json.dumps(text, indent=2) + "\n")


def as_csv(frame):
    frame = frame.copy()
    frame["Key"] = frame["Key"].map(lambda key: urllib.parse.quote_plus(key, safe=""))
    frame["LastModifiedDate"] = frame["LastModifiedDate"].dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    for name in ("IsLatest", "IsDeleteMarker"):
        frame[name] = frame[name].map({True: "true", False: "false"})
    frame["Size"] = frame["Size"].map(lambda size: "" if pandas.isna(size) else str(int(size)))
    text = frame.to_csv(header=False, index=False, quoting=csv.QUOTE_ALL, na_rep="", lineterminator="\n")
    return gzip.compress(text.encode(), mtime=0)


def as_parquet(frame):
    text = pyarrow.string()
    types = {
        "is_latest": pyarrow.bool_(),
        "is_delete_marker": pyarrow.bool_(),
        "size": pyarrow.int64(),
        "last_modified_date": pyarrow.timestamp("ms", tz="UTC"),
    }
    names = list(COLUMNS.values())
    schema = pyarrow.schema([pyarrow.field(n, types.get(n, text), nullable=n not in ("bucket", "key")) for n in names])
    renamed = frame.rename(columns=COLUMNS)
    table = pyarrow.Table.from_pandas(renamed, schema=schema, preserve_index=False)
    out = io.BytesIO()
    # Small row groups, so that reading goes over several of them.
    pyarrow.parquet.write_table(table, out, compression="snappy", row_group_size=16)
    return out.getvalue(), str(pyarrow.parquet.ParquetFile(out).schema)


def main():
    frame = pandas.DataFrame(list(rows()), columns=list(COLUMNS))
    frame["Size"] = frame["Size"].astype("Int64")
    for name in ("csv", "parquet"):
        (HERE / name).mkdir(parents=True, exist_ok=True)
    half = len(frame) // 2
    files = {"first.csv.gz": as_csv(frame[:half]), "second.csv.gz": as_csv(frame[half:])}
    manifest(HERE / "csv", "CSV", ", ".join(COLUMNS), files)
    content, schema = as_parquet(frame)
    fields = "; ".join(name for name in COLUMNS.values())
    assert "encryption_status" in schema
    manifest(HERE / "parquet", "Parquet", f"message s3.inventory {{ {fields}; }}", {"all.parquet": content})


main()
