"""Multipart uploads as the server sees them: checksums, part counts, and nothing left behind.

Why: the bytes can be right while the object is not what S3 would keep of it.
Not here: whether the bytes come back (cases_round_trips.py).
"""

import base64
import os
import signal
import subprocess
import time

from awscrt import checksums

import modes
from bench import MIB, content
from checks import Failed, add, case, equal, true

PART = 5 * MIB
SECONDS = 30


def crc64nvme(plain):
    """The checksum as S3 writes it: base64 of the big-endian number."""
    return base64.b64encode(checksums.crc64nvme(plain).to_bytes(8, "big")).decode()


def has_full_checksum(b, plain, **reading):
    """HEAD shows the CRC64NVME of the whole object, not of its parts."""
    head = b.head(ChecksumMode="ENABLED", **reading)
    equal("CRC64NVME", head.get("ChecksumCRC64NVME"), crc64nvme(plain))
    equal("checksum type", head.get("ChecksumType"), "FULL_OBJECT")


@case("checksum/one-put", "localstack")
def checksum_put(b):
    """From a file small enough for one request."""
    plain = content(100_000)
    b.tool.put(plain, b.name, "-e", "sse-s3")
    has_full_checksum(b, plain)


@case("checksum/parts-of-a-file", "localstack")
def checksum_file(b):
    """From a file of known length."""
    plain = content(4 * PART)
    b.tool.put(plain, b.name, "-e", "sse-s3", "--part-size", "5MiB")
    has_full_checksum(b, plain)


@case("checksum/parts-of-a-stream", "localstack")
def checksum_stream(b):
    """From standard input, whose length is not known."""
    plain = content(2 * PART + 1)
    b.tool.run("put", "-e", "sse-s3", "--part-size", "5MiB", "-", b.tool.uri(b.name), stdin=plain)
    has_full_checksum(b, plain)


@case("checksum/under-a-customer-key", "localstack")
def checksum_customer_key(b):
    """SSE-C objects have one as well. One PUT: LocalStack forgets it when it joins SSE-C parts."""
    plain = content(100_000)
    b.tool.put(plain, b.name, *modes.SSE_C.seal(b))
    has_full_checksum(b, plain, **modes.CUSTOMER)


def asked_for(b, algorithm):
    """--checksum names another; boto3 computes the same."""
    plain = content(100_000)
    b.tool.put(plain, b.name, "-e", "sse-s3", "--checksum", algorithm)
    ours = b.head(ChecksumMode="ENABLED")
    theirs = b.s3.put_object(**b.where(b.name + "-boto3"), Body=plain, ChecksumAlgorithm=algorithm.upper())
    field = "Checksum" + algorithm.upper()
    equal(field, ours.get(field), theirs[field])


# Not crc32c: LocalStack takes boto3's trailer for it as two checksums.
for _algorithm in ("crc32", "sha1", "sha256"):
    add("checksum/asked-for/" + _algorithm, "localstack", lambda b, algorithm=_algorithm: asked_for(b, algorithm))


@case("parts/as-many-as-the-part-size-says", "localstack")
def part_count(b):
    """The last one is what remains."""
    b.tool.put(content(3 * PART + 1), b.name, "-e", "sse-s3", "--part-size", "5MiB")
    last = b.s3.head_object(**b.where(), PartNumber=4)
    equal("parts", last["PartsCount"], 4)
    equal("size of the last", last["ContentLength"], 1)


def uploads_begun(b, process):
    """Waits until the server knows of an upload."""
    deadline = time.monotonic() + SECONDS
    while not b.uploads():
        if process.poll() is not None:
            raise Failed("s3seal ended with %d before it began an upload\n%s" % (
                process.returncode, process.stderr.read().decode(errors="replace")))
        true("an upload begins within %d s" % SECONDS, time.monotonic() < deadline)
        time.sleep(0.05)


def ended_by(b, number):
    """Ends an upload that waits for more on standard input; nothing may remain."""
    arguments = ["put", "-e", "sse-s3", "--part-size", "5MiB", "-", b.tool.uri(b.name)]
    process = b.tool.start(*arguments)
    try:
        process.stdin.write(content(2 * PART))
        process.stdin.flush()
        uploads_begun(b, process)
        os.kill(process.pid, number)
        # Standard input stays open: ending must not need its end.
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed("s3seal did not end within %d s of signal %d" % (SECONDS, number))
    finally:
        process.kill()
        process.wait()
    equal("exit", process.returncode, 128 + number)
    equal("uploads left behind", b.uploads(), [])
    true("nothing stored", not b.exists())


@case("interrupted/sigterm-aborts-the-upload", "localstack")
def sigterm(b):
    """As a service manager ends it."""
    ended_by(b, signal.SIGTERM)


@case("interrupted/sigint-aborts-the-upload", "seaweedfs")
def sigint(b):
    """As a terminal ends it."""
    ended_by(b, signal.SIGINT)


@case("interrupted/failing-producer-stores-nothing", "localstack")
def failing_producer(b):
    """--from-command stores only what a command finished."""
    b.tool.run("put", "-e", "sse-s3", "--part-size", "5MiB", b.tool.uri(b.name), "--from-command", "--",
               "sh", "-c", "head -c 11000000 /dev/zero; exit 3", exit=1)
    equal("uploads left behind", b.uploads(), [])
    true("nothing stored", not b.exists())
