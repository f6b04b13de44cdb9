"""Starts the peers on loopback: LocalStack, SeaweedFS, and the project's own sandbox.

Why: each tells another part of the truth. LocalStack answers with S3's headers
and errors but encrypts nothing and checks no signature; SeaweedFS encrypts what
it stores and checks signatures but lacks modes; the sandbox must agree with both.
Not here: how a peer is spoken to (peer.py), what is expected of it (cases_*.py).
"""

import json
import os
import secrets
import shlex
import tempfile
import urllib.error
import urllib.request

import botocore.exceptions

import environments
from peer import Peer
from processes import Server, free_ports

# What a server must not inherit: our caller's credentials, endpoints and proxies.
FOREIGN = ("AWS_", "LOCALSTACK_", "WEED_", "S3SEAL_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def clean_environment(**additions):
    """Our environment without what would change a server's or the tool's behaviour."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(FOREIGN) and name not in PROXIES}
    kept.update(additions)
    return kept


class Servers:
    """The peers of one run; used as a context: what was started is stopped on every way out."""

    def __init__(self, folder, certificates):
        self.folder = folder
        self.certificates = certificates
        self.started = []
        self.peers = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server, gently in reversed(self.started):
            server.stop(gently)

    def start(self, names):
        """Starts the named peers at once, then waits for each."""
        if "seaweedfs" in names:
            names = set(names) | {"localstack"}  # which holds its KMS keys
        waits = []
        for name in ("localstack", "seaweedfs", "sandbox"):
            if name in names:
                waits.append(getattr(self, "_start_" + name)())
        for wait in waits:
            wait()

    def _launch(self, name, command, environment, gently=True):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        server = Server(name, command, environment, os.path.join(folder, "log"))
        self.started.append((server, gently))
        return server

    def _start_localstack(self):
        port, = free_ports(1)
        state = os.path.join(self.folder, "localstack")
        environment = clean_environment(
            GATEWAY_LISTEN="127.0.0.1:%d" % port, LOCALSTACK_HOST="localhost:%d" % port,
            SERVICES="s3,kms,sts", EAGER_SERVICE_LOADING="1",
            DISABLE_EVENTS="1", SKIP_SSL_CERT_DOWNLOAD="1", DNS_ADDRESS="0",
            CUSTOM_SSL_CERT_PATH=self.certificates.bundle, FILESYSTEM_ROOT=os.path.join(state, "data"),
            # Otherwise every KMS key name is accepted, also that of no key at all.
            S3_SKIP_KMS_KEY_VALIDATION="0",
        )
        server = self._launch("localstack", [environments.localstack(), "-m", "localstack.runtime.main"], environment)
        peer = Peer("localstack", "https://127.0.0.1:%d" % port, "http://127.0.0.1:%d" % port,
                    self.certificates.ca, ("test", "test"))
        self.peers["localstack"] = peer

        def wait():
            server.wait_until(lambda: _localstack_runs(port), 120)
            peer.furnish()
        return wait

    def _start_seaweedfs(self):
        ports = free_ports(12)
        names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port",
                 "filer.port.grpc", "s3.port", "s3.port.grpc", "s3.port.https", "s3.port.iceberg", "s3.port.lance"]
        chosen = dict(zip(names, ports))
        folder = os.path.join(self.folder, "seaweedfs")
        data = os.path.join(folder, "data")
        os.makedirs(data)
        localstack = self.peers["localstack"]
        secret = ("AKIDSEAWEEDFS", secrets.token_hex(20))
        config = os.path.join(folder, "s3.json")
        with open(config, "w") as file:
            json.dump(_seaweedfs_config(secret, localstack.plain_url), file)
        command = [
            environments.seaweedfs(), "server", "-master.telemetry=false", "-dir=" + data,
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64", "-volume.max=400",
            "-s3", "-s3.config=" + config, "-s3.autoCreateBucket=false",
            "-s3.cert.file=" + self.certificates.chain, "-s3.key.file=" + self.certificates.key,
        ] + ["-%s=%d" % item for item in chosen.items()]
        # The key that wraps SSE-S3's data keys; without it that mode is off.
        environment = clean_environment(WEED_S3_SSE_KEK=secrets.token_hex(32), HOME=folder)
        # Asked to end it drains for half a minute; there is nothing here to save.
        server = self._launch("seaweedfs", command, environment, gently=False)
        peer = Peer("seaweedfs", "https://127.0.0.1:%d" % chosen["s3.port.https"],
                    "http://127.0.0.1:%d" % chosen["s3.port"], self.certificates.ca, secret,
                    keys_from=localstack, data_folder=data)
        self.peers["seaweedfs"] = peer

        def wait():
            server.wait_until(lambda: _answers(peer), 90)
            peer.furnish()
        return wait

    def _start_sandbox(self):
        binary = os.environ.get("S3SEAL_SANDBOX_BIN", os.path.join(target_folder(), "s3seal-sandbox"))
        if not os.path.exists(binary):
            raise SystemExit("peers: no %s: cargo build --workspace" % binary)
        told_in = os.path.join(self.folder, "sandbox", "environment")
        server = self._launch("sandbox", [binary, "--env-file", told_in], clean_environment())

        def wait():
            server.wait_until(lambda: os.path.exists(told_in), 20)
            with open(told_in) as file:
                told = dict(shlex.split(line)[1].split("=", 1) for line in file if line.startswith("export "))
            peer = Peer("sandbox", told["AWS_ENDPOINT_URL"], None, told["AWS_CA_BUNDLE"],
                        (told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"]))
            self.peers["sandbox"] = peer
            server.wait_until(lambda: _answers(peer), 20)
            peer.furnish()
        return wait


def target_folder():
    """Where cargo put the debug binaries of this checkout."""
    checkout = os.path.dirname(os.path.dirname(environments.HERE))
    return os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(checkout, "target")), "debug")


def _seaweedfs_config(credentials, kms_url):
    return {
        "identities": [{
            "name": "admin",
            "credentials": [{"accessKey": credentials[0], "secretKey": credentials[1]}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }],
        "kms": {"default_provider": "keys", "providers": {"keys": {
            "type": "aws", "region": "us-east-1", "endpoint": kms_url,
            "access_key": "test", "secret_key": "test",
        }}},
    }


def _localstack_runs(port):
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d/_localstack/health" % port, timeout=5) as answer:
            services = json.load(answer)["services"]
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return False
    if "error" in services.values():
        raise SystemExit("peers: LocalStack could not load a service: %s" % services)
    return services.get("s3") == "running" and services.get("kms") == "running"


def _answers(peer):
    """Whether a signed request over TLS is answered."""
    try:
        peer.s3(patient=False).list_buckets()
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        return False
    return True


def run_folder():
    """A new folder for this run's state, inside the checkout's cache."""
    os.makedirs(environments.CACHE, exist_ok=True)
    return tempfile.mkdtemp(prefix="run-", dir=environments.CACHE)
