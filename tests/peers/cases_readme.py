"""What s3seal-recipes(7) shows of other programs, and its recipes for new keys, work as they stand there.

Why: a reader will paste it. The text itself is run; only the names in it are replaced.
Not here: the page's other commands.
"""

import os
import re
import shlex
import subprocess
import sys

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench import content
from checks import Failed, add, case, equal, true

RECIPES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "man", "s3seal-recipes.7.md")


def _snippet():
    with open(RECIPES, encoding="utf-8") as file:
        found = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)
    equal("Python snippets among the recipes", len(found), 1)
    return found[0]


class _Boto3:
    """Stands in for boto3 in the snippet: its clients reach the peer."""

    def __init__(self, peer):
        self._made = {"kms": peer.kms, "s3": peer.new_s3}

    def client(self, name):
        return self._made[name]()


def python_snippet_opens(b):
    plain = content(100_000)
    b.tool.put(plain, b.name, "-e", "client", "--kms-key", b.peer.key.arn, "--context", "app=db")
    text = _snippet()
    true("the snippet begins with boto3", text.startswith("import boto3\n"))
    for shown, real in (('"bucket"', repr(b.bucket)), ('"backup.tar"', repr(b.name))):
        true("the snippet names %s" % shown, shown in text)
        text = text.replace(shown, real)
    text = re.sub(r'"arn:aws:kms:[^"]*"', repr(b.peer.key.arn), text.removeprefix("import boto3\n"))
    names = {"boto3": _Boto3(b.peer)}
    exec(text, names)  # The page is ours.
    equal("what the snippet reads", names["plain"], plain)


add("readme/python-snippet", "localstack", python_snippet_opens)


class Shell:
    """Runs a recipe's lines: `s3seal` and `aws` are found, and the names in the text are those of the peer."""

    def __init__(self, b, bucket, *names):
        self.bucket, self.folder = bucket, b.folder
        self.names = [("s3://bucket/", "s3://%s/" % bucket), ("--bucket bucket ", "--bucket %s " % bucket), *names]
        b.s3.create_bucket(Bucket=bucket)
        programs = os.path.join(b.folder, "programs")
        os.mkdir(programs)
        os.symlink(b.tool.binary, os.path.join(programs, "s3seal"))
        aws = b.tool.file(b'#!/bin/sh\nexec %s -m awscli "$@"\n' % shlex.quote(sys.executable).encode(), "programs/aws")
        os.chmod(aws, 0o755)
        self.environment = b.tool.environment(PATH=programs + ":" + os.environ["PATH"], AWS_PAGER="")
        self.said = []

    def run(self, line, exit=0):
        """One line, as cron or a user's shell would run it; its output, both streams. Assignments stay for the next."""
        for shown, real in self.names:
            line = line.replace(shown, real)
        if re.fullmatch(r"\w+=\S+", line):
            self.said.append(line)
            return ""
        done = subprocess.run(["/bin/sh", "-c", "\n".join([*self.said, line])], env=self.environment, cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        output = done.stdout.decode()
        if done.returncode != exit:
            raise Failed("exit %d, wanted %d: %s\n%s" % (done.returncode, exit, line, output))
        return output


def _yaml_blocks(heading):
    with open(RECIPES, encoding="utf-8") as file:
        section = re.search(r"^## %s$(.*?)^#" % re.escape(heading), file.read(), re.DOTALL | re.MULTILINE)
    return [block.splitlines() for block in re.findall(r"```yaml\n(.*?)```", section[1], re.DOTALL)]


def _recipe(heading, language):
    """The lines of a recipe's blocks in one language; what a backslash broke is one line again."""
    with open(RECIPES, encoding="utf-8") as file:
        lines = file.read().splitlines()
    found, here, block = [], False, None
    for line in lines:
        if line.startswith("```"):
            # A line of a block may begin with # too, and is no heading.
            block = line[3:] if block is None else None
        elif block is None and line.startswith("#"):
            here = line == "## " + heading
        elif here and block == language:
            found.append(line)
    true("there is a recipe " + heading, found)
    return "\n".join(found).replace("\\\n", " ").splitlines()


@case("readme/kubernetes-manifest", "localstack")
def kubernetes(_):
    """The manifest is YAML that says what `tests/recipes` runs."""
    manifest, drill = (yaml.safe_load("\n".join(lines)) for lines in _yaml_blocks("A Kubernetes CronJob"))
    equal("its kind", (manifest["apiVersion"], manifest["kind"]), ("batch/v1", "CronJob"))
    pod = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    container, = pod["containers"]
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    equal("what is mounted", set(mounted), {volume["name"] for volume in pod["volumes"]})
    equal("the command", container["command"] + container["args"][:1], ["s3seal", "put"])
    equal("the drill", drill["args"][:2], ["inspect", "-q"])
    for arguments in (container["args"], drill["args"]):
        true("all arguments are text: %s" % arguments, all(isinstance(one, str) for one in arguments))
        true("the key is mounted: %s" % arguments, mounted["key"] + "/backup.key" in arguments)


@case("readme/yearly-key-from-cron", "localstack")
def yearly(b):
    """What goes wrong is mailed, tried again the next night, and a night on which all is well says nothing."""
    shell = Shell(b, "readme-yearly", ("/etc/s3seal/", b.folder + "/"), ("/var/lib/s3seal/", b.folder + "/state/"),
                  ("/var/log/", b.folder + "/"))
    keygen, = _recipe("SSE-C: a new key every year, from cron", "sh")
    fingerprint = re.search("fingerprint ([0-9a-f]+)", shell.run(keygen))[1]
    shell.names.append(("PRINT", fingerprint))
    mail, path, *lines = _recipe("SSE-C: a new key every year, from cron", "crontab")
    true("the mail has an address: " + mail, mail.startswith("MAILTO="))
    true("cron finds the program: " + path, path.startswith("PATH="))
    # Cron takes five fields away and hands the rest to a shell.
    rotate, inspect = (line.split(None, 5)[5] for line in lines)
    shell.run("s3seal keygen 2026.key && s3seal keygen lost.key && echo content > source")
    for name, key in (("1", "2026"), ("2", "2026"), ("lost", "lost")):
        shell.run("s3seal put source s3://bucket/app/%s --sse-c-key %s.key" % (name, key))
    mailed = shell.run(rotate, exit=9)
    true("the mail names what failed:\n" + mailed, "failed: cannot open s3://readme-yearly/app/lost: " in mailed)
    true("and nothing else:\n" + mailed, "app/1" not in mailed and "app/2" not in mailed)
    true("the audit complains", "not as expected" in shell.run(inspect, exit=8))
    listed = shell.run("cat /var/log/s3-key.csv")
    true("its file lists it:\n" + listed, "app/lost" in listed and "app/1" not in listed)
    b.s3.delete_object(Bucket=shell.bucket, Key="app/lost")
    for _ in range(2):
        equal("what is mailed when all is well", shell.run(rotate) + shell.run(inspect), "")
    for name in ("1", "2"):
        equal("both keys open", shell.run("s3seal get -q --sse-c-key 2027.key --sse-c-key 2026.key s3://bucket/app/%s -" % name), "content\n")
        shell.run("s3seal get --sse-c-key 2026.key s3://bucket/app/%s -" % name, exit=5)
    shell.run("rm 2026.key")
    true("a missing key file is mailed", "2026.key" in shell.run(rotate, exit=5))


@case("readme/leaving-a-kms-key", "localstack")
def leaving(b):
    """Nothing is left under the old key, so that it can go, and everything opens without it."""
    old, new = b.peer.new_key(), b.peer.new_key()
    arn = "arn:aws:kms:eu-west-1:111122223333:key/"
    shell = Shell(b, "readme-leaving", (arn + "1234abcd-12ab-34cd-56ef-1234567890ab", old.arn), (arn + "5678cdef-56ef-78ab-90cd-567890abcdef", new.arn))
    lines = _recipe("Leaving a key in AWS KMS", "sh")
    check = next(line for line in lines if line.startswith("! "))
    assignments, lines = [line for line in lines if line[3:4] == "="], [line for line in lines if line[3:4] != "="]
    for line in assignments:
        shell.run(line)
    shell.run("echo content > source")
    sealed = "-e client --kms-key %s" % old.arn
    for name, how in (("1", "-e sse-kms --kms-key %s" % old.arn), ("2", "-e sse-kms --bucket-key --kms-key %s" % old.arn),
                      ("s3ec", sealed), ("esdk", sealed + " --format esdk")):
        shell.run("s3seal put source s3://bucket/%s %s" % (name, how))
    true("the check can fail", old.arn in shell.run(check, exit=1))
    for line in lines:
        shell.run(line)
    state = b.peer.kms().describe_key(KeyId=old.id)["KeyMetadata"]["KeyState"]
    equal("the old key", state, "PendingDeletion")
    for name in ("1", "2", "s3ec", "esdk"):
        opening = "" if name in "12" else "--kms-key %s" % new.arn
        equal(name, shell.run("s3seal get -q %s s3://bucket/%s -" % (opening, name)), "content\n")
    shell.run("s3seal put source s3://bucket/later")
    equal("what comes by default", b.s3.head_object(Bucket=shell.bucket, Key="later")["SSEKMSKeyId"], new.arn)


@case("readme/lost-laptop", "localstack")
def lost_laptop(b):
    """Everything is sealed anew, and an envelope that the finder kept opens nothing any more."""
    shell = Shell(b, "readme-laptop")
    b.s3.put_bucket_versioning(Bucket=shell.bucket, VersioningConfiguration={"Status": "Enabled"})
    private = rsa.generate_private_key(65537, 2048)
    b.tool.key_file(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()), "open.pem")
    b.tool.file(private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo), "seal.pem")
    shell.run("echo content > source")
    for name, how in (("s3ec", ""), ("esdk", "--format esdk"), ("beside", "--instruction-file")):
        shell.run("s3seal put source s3://bucket/%s -e client --public-key seal.pem %s" % (name, how))
    shell.run("s3seal put source s3://bucket/plain -e sse-s3")
    kept = b.s3.head_object(Bucket=shell.bucket, Key="s3ec")["Metadata"]
    for line in _recipe("A laptop with an RSA key is lost", "sh"):
        if line.startswith("s3seal inspect "):
            # The new key opens the three; what was not sealed is named.
            true("the check: " + line, "1 of 4 objects are not client" in shell.run(line, exit=8))
        else:
            shell.run(line)
    for name in ("s3ec", "esdk", "beside"):
        equal(name, shell.run("s3seal get -q --private-key new-open.pem s3://bucket/%s -" % name), "content\n")
        shell.run("s3seal get --private-key open.pem s3://bucket/%s -" % name, exit=5)
    equal("what was not sealed", shell.run("s3seal get -q s3://bucket/plain -"), "content\n")
    where = {"Bucket": shell.bucket, "Key": "s3ec"}
    b.s3.copy_object(**where, CopySource=where, Metadata=kept, MetadataDirective="REPLACE")
    shell.run("s3seal get --private-key open.pem s3://bucket/s3ec -", exit=6)
    rule, = b.s3.get_bucket_lifecycle_configuration(Bucket=shell.bucket)["Rules"]
    equal("the lifecycle rule", rule["NoncurrentVersionExpiration"], {"NoncurrentDays": 1})


@case("readme/leaving-sse-c-for-sse-kms", "localstack")
def leaving_sse_c(b):
    """Every object is under the KMS key and opens without its old key; the bucket blocks SSE-C."""
    shell = Shell(b, "readme-leaving-sse-c", ("alias/backup", b.peer.key.arn))
    shell.run("s3seal keygen old.key && echo content > source")
    for name in ("1", "2"):
        shell.run("s3seal put source s3://bucket/%s --sse-c-key old.key" % name)
    for line in _recipe("Leaving SSE-C for SSE-KMS", "sh"):
        shell.run(line)
    for name in ("1", "2"):
        equal(name, b.s3.head_object(Bucket=shell.bucket, Key=name)["SSEKMSKeyId"], b.peer.key.arn)
        equal(name, shell.run("s3seal get -q s3://bucket/%s -" % name), "content\n")
    rule, = b.s3.get_bucket_encryption(Bucket=shell.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    equal("what the bucket blocks", rule["BlockedEncryptionTypes"], {"EncryptionType": ["SSE-C"]})


@case("readme/leaving-sse-c-for-client-side", "localstack")
def leaving_sse_c_for_client_side(b):
    """The new key opens the object, and the old one does not."""
    shell = Shell(b, "readme-leaving-sse-c-client")
    shell.run("s3seal keygen old.key && echo content > source && s3seal put source s3://bucket/1 --sse-c-key old.key")
    for line in _recipe("Leaving SSE-C for client-side encryption", "sh"):
        shell.run(line)
    equal("the object", shell.run("s3seal get -q --key new.key s3://bucket/1 -"), "content\n")
    shell.run("s3seal get --key old.key s3://bucket/1 -", exit=5)
