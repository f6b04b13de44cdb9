"""The one server that all tools talk to: the sandbox, over HTTPS, its bodies in a folder.

Why the sandbox: it speaks TLS by itself, checks signatures and sums, encrypts at
rest, and still takes less CPU than s3s-fs does in the clear (s5cmd, 256 MiB up
and down: 1.0 and 0.3 s against 1.6 and 0.7 to 1.2 s), which is what counts when
client and server share the cores. Its bucket encrypts with SSE-KMS by default
because then, as on S3, an ETag is no MD5: MD5 alone would take the server more
CPU than any client here.
Not here: commands (tools.py).
"""

import os
import subprocess
import sys
import time

import install

BUCKET = "bench"


class Server:
    """A running server; `environment` leads AWS clients to it."""

    def __init__(self, folder):
        store = os.path.join(folder, "store")
        env_file = os.path.join(folder, "env")
        self.process = subprocess.Popen(
            [install.sandbox(), "--folder", store, "--bucket", BUCKET, "--kms-alias", "bench",
             "--env-file", env_file, "--until-stdin-closes"],
            # It ends with this program, however that ends.
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        )
        while not os.path.exists(env_file):
            if self.process.poll() is not None:
                raise SystemExit("bench: the server ended with %d" % self.process.returncode)
            time.sleep(0.05)
        with open(env_file) as file:
            pairs = [line.removeprefix("export ").strip().split("=", 1) for line in file]
        self.environment = {name: value.strip("'") for name, value in pairs}
        self.link = None

    def encrypt_by_default(self, aws):
        """Sets the bucket's default to SSE-KMS; returns the key's ARN."""
        env = dict(os.environ, **self.environment)
        rule = ('{"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms",'
                ' "KMSMasterKeyID": "alias/bench"}, "BucketKeyEnabled": true}]}')
        subprocess.run([aws, "s3api", "put-bucket-encryption", "--bucket", BUCKET,
                        "--server-side-encryption-configuration", rule], env=env, check=True)
        asked = subprocess.run([aws, "kms", "describe-key", "--key-id", "alias/bench", "--query", "KeyMetadata.Arn",
                                "--output", "text"], env=env, check=True, capture_output=True, text=True)
        return asked.stdout.strip()

    def over(self, link):
        """The server's address behind a link such as 40ms,8MB/s."""
        if not self.link:
            port = self.environment["AWS_ENDPOINT_URL"].rsplit(":", 1)[1].strip("/")
            round_trip, rate = link.split(",")
            command = [sys.executable, os.path.join(install.HERE, "link.py"), port, round_trip.removesuffix("ms"),
                       str(float(rate.removesuffix("MB/s")) * 1e6)]
            self.link = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.behind = "https://127.0.0.1:" + self.link.stdout.readline().strip()
        return self.behind

    def cpu(self):
        """Seconds of CPU that the server has used so far."""
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """Ends it, and the link."""
        if self.link:
            self.link.stdin.close()
            self.link.wait()
        self.process.stdin.close()
        self.process.wait()
