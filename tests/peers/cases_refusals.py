"""What must not succeed does not, with the exit code that says why, and leaves nothing behind.

Why: a wrong key or a server that does not do what was asked must never look like success.
Not here: refusals that the peers cannot show; the sandbox's own tests have those.
"""

import os
import socket
import threading

import modes
from bench import content
from checks import case, equal, true

USAGE, MISSING, DENIED, KEY, DISTRUST, NETWORK, CONDITION = 2, 3, 4, 5, 6, 7, 8
WRONG = bytes(reversed(modes.CUSTOMER_KEY))


def both(name):
    """Registers the function below it for LocalStack and for SeaweedFS."""
    def register(body):
        for peer in ("localstack", "seaweedfs"):
            case(name, peer)(body)
        return body
    return register


@both("sse-c/wrong-key")
def wrong_key(b):
    """403 AccessDenied on both, which must not read as a lack of permission."""
    b.tool.put(b"secret", b.name, *modes.SSE_C.seal(b))
    b.tool.get(b.name, "--sse-c-key", "file:" + b.tool.key_file(WRONG), exit=KEY)


@both("sse-c/wrong-key-keeps-the-old-file")
def old_file(b):
    """A failed download leaves the target as it was, and no temporary file."""
    b.tool.put(b"secret", b.name, *modes.SSE_C.seal(b))
    wrong = b.tool.key_file(WRONG)
    target = b.tool.file(b"old", "target")
    before = sorted(os.listdir(b.folder))
    b.tool.run("get", "--sse-c-key", "file:" + wrong, b.tool.uri(b.name), target, exit=KEY)
    with open(target, "rb") as file:
        equal("target", file.read(), b"old")
    equal("files beside the target", sorted(os.listdir(b.folder)), before)


@both("sse-c/no-key")
def no_key(b):
    """400 without a body on HEAD: the reason takes a second look."""
    b.tool.put(b"secret", b.name, *modes.SSE_C.seal(b))
    b.tool.get(b.name, exit=KEY)


@both("sse-c/no-key-to-stdout")
def no_key_to_stdout(b):
    """Not a byte may leave."""
    b.tool.put(b"secret", b.name, *modes.SSE_C.seal(b))
    done = b.tool.run("get", b.tool.uri(b.name), "-", exit=KEY)
    equal("standard output", done.stdout, b"")


@both("sse-c/key-ring-finds-the-right-one")
def key_ring(b):
    """The wrong key first, the right one second."""
    b.tool.put(b"secret", b.name, *modes.SSE_C.seal(b))
    wrong = b.tool.file(WRONG, "wrong", 0o600)
    fetched = b.tool.get(b.name, "--sse-c-key", "file:" + wrong, *modes.SSE_C.unseal(b))
    equal("content", fetched, b"secret")


class Listener:
    """An http server on loopback that keeps what it is sent, and answers as S3 does where a customer key is missing."""

    BODY = (b"<Error><Code>InvalidRequest</Code><Message>The object was stored using a form of Server Side Encryption. "
            b"The correct parameters must be provided to retrieve the object.</Message></Error>")

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.received = b""
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()
        return self

    def _accept(self):
        while True:
            try:
                accepted, _ = self.socket.accept()
            except OSError:
                return
            with accepted:
                self._answer(accepted)

    def _answer(self, accepted):
        request = b""
        while b"\r\n\r\n" not in request:
            more = accepted.recv(65536)
            if not more:
                return
            request += more
            self.received += more
        body = b"" if request.startswith(b"HEAD") else self.BODY
        accepted.sendall(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/xml\r\n"
                         b"content-length: %d\r\n\r\n%s" % (len(self.BODY), body))

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


@case("sse-c/refused-over-http-before-the-key-is-sent", "localstack")
def over_http(b):
    """A put sends nothing at all; a get may ask what the object is, since the key could be for sealed bytes."""
    key = ["--sse-c-key", "file:" + b.tool.key_file(modes.CUSTOMER_KEY)]
    source = b.tool.file(b"secret")
    with Listener() as listener:
        there = {"AWS_ENDPOINT_URL_S3": listener.url}
        b.tool.run("put", "-e", "sse-c", *key, source, b.tool.uri(b.name), exit=(USAGE, DISTRUST), **there)
        equal("what a put sent", listener.received, b"")
        b.tool.run("get", *key, b.tool.uri(b.name), "-", exit=(USAGE, DISTRUST), **there)
        sent = listener.received.lower()
        true("a get sends no customer-key header", b"customer-key" not in sent and b"customer-algorithm" not in sent)
        # The same listener does notice a put: that it saw none above means something.
        b.tool.run("put", "-e", "sse-s3", "--max-attempts", "1", source, b.tool.uri(b.name), exit=(1, KEY, DISTRUST), **there)
        true("a request is noticed", b"PUT /" in listener.received)


@case("sse-c/allowed-over-http-on-loopback-when-asked", "localstack")
def allow_http(b):
    """--allow-http is for exactly this."""
    there = {"AWS_ENDPOINT_URL_S3": b.peer.plain_url}
    b.tool.put(b"secret", b.name, *modes.SSE_C.seal(b), "--allow-http", **there)
    equal("content", b.read(**modes.CUSTOMER), b"secret")


@case("ignoring-server/dsse-kms-is-not-echoed", "seaweedfs")
def ignoring(b):
    """SeaweedFS answers 200 and stores without it; s3seal must say so and not call it done."""
    done = b.tool.put(b"secret", b.name, *modes.DSSE_KMS.seal(b), exit=DISTRUST)
    true("the message names the object:\n" + done.stderr, b.name in done.stderr)
    true("the message names the mode:\n" + done.stderr, "dsse" in done.stderr.lower())


@case("ignoring-server/dsse-kms-in-a-multipart-upload", "seaweedfs")
def ignoring_multipart(b):
    """Here it is known before the first part, and nothing need be stored."""
    plain = content(6 << 20)
    b.tool.put(plain, b.name, "--part-size", "5MiB", *modes.DSSE_KMS.seal(b), exit=DISTRUST)
    equal("uploads left behind", b.uploads(), [])


@both("missing/object")
def missing_object(b):
    """No file, exit 3."""
    b.tool.get(b.name, exit=MISSING)


@both("missing/bucket")
def missing_bucket(b):
    """Both directions."""
    b.tool.run("put", "-e", "sse-s3", b.tool.file(b"x"), "s3://peers-absent/k", exit=MISSING)
    b.tool.run("get", "s3://peers-absent/k", "-", exit=MISSING)


@case("credentials/wrong-secret", "seaweedfs")
def wrong_secret(b):
    """SeaweedFS verifies signatures, LocalStack does not."""
    b.tool.put(b"x", b.name, "-e", "sse-s3", exit=DENIED, AWS_SECRET_ACCESS_KEY="not" + b.peer.credentials[1])
    true("nothing stored", not b.exists())


@case("credentials/none", "localstack")
def no_credentials(b):
    """No chain member has any."""
    b.tool.put(b"x", b.name, "-e", "sse-s3", exit=DENIED, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)


@case("kms/unknown-key", "localstack")
def unknown_key(b):
    """KMS.NotFoundException through S3."""
    b.tool.put(b"x", b.name, "-e", "sse-kms", "--kms-key", "00000000-0000-0000-0000-000000000000", exit=KEY)
    true("nothing stored", not b.exists())


@case("kms/disabled-key", "localstack")
def disabled_key(b):
    """KMS.DisabledException through S3."""
    key = b.peer.new_key()
    b.peer.kms().disable_key(KeyId=key.id)
    b.tool.put(b"x", b.name, "-e", "sse-kms", "--kms-key", key.arn, exit=KEY)


@case("kms/key-pending-deletion", "localstack")
def pending_deletion(b):
    """KMS.KMSInvalidStateException through S3."""
    key = b.peer.new_key()
    b.peer.kms().schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    b.tool.put(b"x", b.name, "-e", "sse-kms", "--kms-key", key.arn, exit=KEY)


@case("tls/unknown-authority", "localstack")
def unknown_authority(b):
    """The CA is what makes the peer trusted, nothing else."""
    done = b.tool.put(b"x", b.name, "-e", "sse-s3", "--max-attempts", "1", exit=(1, DISTRUST, NETWORK), AWS_CA_BUNDLE=None)
    true("the message speaks of the certificate:\n" + done.stderr, "certificate" in done.stderr.lower())
    true("nothing stored", not b.exists())


@both("condition/no-clobber")
def no_clobber(b):
    """The object stays as it was; both with one PUT and with parts."""
    b.tool.put(b"first", b.name, "-e", "sse-s3", "--no-clobber")
    b.tool.put(b"second", b.name, "-e", "sse-s3", "--no-clobber", exit=CONDITION)
    b.tool.put(content(6 << 20), b.name, "-e", "sse-s3", "--no-clobber", "--part-size", "5MiB", exit=CONDITION)
    equal("content", b.read(), b"first")
    equal("uploads left behind", b.uploads(), [])


@both("condition/if-match")
def if_match(b):
    """Only over the object that was seen."""
    b.tool.put(b"first", b.name, "-e", "sse-s3")
    seen = b.head()["ETag"]
    b.tool.put(b"second", b.name, "-e", "sse-s3", "--if-match", seen)
    b.tool.put(b"third", b.name, "-e", "sse-s3", "--if-match", seen, exit=CONDITION)
    equal("content", b.read(), b"second")
