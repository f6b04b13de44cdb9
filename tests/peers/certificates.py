"""Makes a throw-away certificate authority and a server certificate for loopback.

Why: SSE-C is refused over plain http, so every peer is spoken to over TLS,
and trust in it must come through the CA file that users name as well.
Not here: who serves with it (servers.py).
"""

import os
import subprocess

SERVER_EXTENSIONS = """basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1
"""


class Certificates:
    """`ca` trusts; `chain` and `key` serve; `bundle` is key and chain in one file."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.ca = os.path.join(folder, "ca.pem")
        self.chain = os.path.join(folder, "chain.pem")
        self.key = os.path.join(folder, "server.key")
        self.bundle = os.path.join(folder, "bundle.pem")
        ca_key = os.path.join(folder, "ca.key")
        request = os.path.join(folder, "server.csr")
        extensions = os.path.join(folder, "server.ext")
        with open(extensions, "w") as file:
            file.write(SERVER_EXTENSIONS)
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        _openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", self.ca, "-days", "2",
                 "-subj", "/CN=throw-away CA of a test run",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _openssl("req", *curve, "-keyout", self.key, "-out", request, "-subj", "/CN=localhost")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial",
                 "-days", "2", "-extfile", extensions, "-out", self.chain)
        _join([self.ca], self.chain, "a")
        _join([self.key, self.chain], self.bundle, "w")


def _openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit("peers: openssl %s failed:\n%s" % (arguments[0], done.stderr))


def _join(paths, into, mode):
    with open(into, mode) as out:
        for path in paths:
            with open(path) as file:
                out.write(file.read())
