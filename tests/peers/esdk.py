"""The official AWS Encryption SDKs, for Python and JavaScript, and aws-encryption-cli, as the cases use them.

Why: they are the readers and writers of this format that others wrote and that
run here. All of them get the same keys in the same words, so that one table of
cases serves each.
Not here: the cases (cases_esdk.py), installing anything (environments.py).
"""

import functools
import json
import os
import subprocess
from collections import namedtuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import environments
from checks import Failed
from servers import clean_environment

SECONDS = 60

COMMITTING = "ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY"
SIGNED = COMMITTING + "_ECDSA_P384"
# The same suites in the words of Python.
PYTHON_SUITES = {
    COMMITTING: "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
    SIGNED: "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384",
}

# A raw key by which s3seal seals and the SDKs open, or the other way round.
Aes = namedtuple("Aes", "namespace name key")
Rsa = namedtuple("Rsa", "namespace name private public")
Kms = namedtuple("Kms", "arn")


@functools.lru_cache(maxsize=None)
def new_rsa(namespace, name):
    """An RSA key pair in PEM, one for each name in a run."""
    made = rsa.generate_private_key(65537, 2048)
    private = made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption())
    public = made.public_key().public_bytes(serialization.Encoding.PEM,
                                            serialization.PublicFormat.SubjectPublicKeyInfo)
    return Rsa(namespace, name, private, public)


class Python:
    """aws-encryption-sdk 4, with the keyrings that came with it."""

    def __init__(self, b):
        self.peer = b.peer

    def encrypt(self, plain, keys, context=None, suite=COMMITTING, frame_length=4096, required=()):
        """A message; of the pairs named in `required` only their proof is in it."""
        import aws_encryption_sdk
        from aws_cryptographic_material_providers.mpl import models
        suites = aws_encryption_sdk.identifiers.AlgorithmSuite
        how = {"keyring": self._keyring(keys)}
        if required:
            below = _materials().create_default_cryptographic_materials_manager(
                models.CreateDefaultCryptographicMaterialsManagerInput(**how))
            how = {"materials_manager": _materials().create_required_encryption_context_cmm(
                models.CreateRequiredEncryptionContextCMMInput(
                    required_encryption_context_keys=list(required), underlying_cmm=below))}
        sealed, _ = aws_encryption_sdk.EncryptionSDKClient().encrypt(
            source=plain, encryption_context=dict(context or {}), frame_length=frame_length,
            algorithm=getattr(suites, PYTHON_SUITES[suite]), **how)
        return sealed

    def decrypt(self, sealed, keys, context=None):
        """The plain bytes and the context, which `context` must be a part of, from a client that demands commitment."""
        import aws_encryption_sdk
        plain, header = aws_encryption_sdk.EncryptionSDKClient().decrypt(
            source=sealed, keyring=self._keyring(keys), encryption_context=dict(context or {}))
        return plain, dict(header.encryption_context)

    def _keyring(self, keys):
        from aws_cryptographic_material_providers.mpl import models
        rings = [self._one(key, models) for key in keys]
        if len(rings) == 1:
            return rings[0]
        return _materials().create_multi_keyring(
            models.CreateMultiKeyringInput(generator=rings[0], child_keyrings=rings[1:]))

    def _one(self, key, models):
        if isinstance(key, Aes):
            return _materials().create_raw_aes_keyring(models.CreateRawAesKeyringInput(
                key_namespace=key.namespace, key_name=key.name, wrapping_key=key.key,
                wrapping_alg=models.AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16))
        if isinstance(key, Rsa):
            return _materials().create_raw_rsa_keyring(models.CreateRawRsaKeyringInput(
                key_namespace=key.namespace, key_name=key.name, public_key=key.public, private_key=key.private,
                padding_scheme=models.PaddingScheme.OAEP_SHA256_MGF1))
        return _materials().create_aws_kms_keyring(
            models.CreateAwsKmsKeyringInput(kms_key_id=key.arn, kms_client=self.peer.kms()))


@functools.lru_cache(maxsize=None)
def _materials():
    from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
    from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
    return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


class JavaScript:
    """@aws-crypto/client-node, in a process of its own for each message."""

    def __init__(self, b):
        self.peer = b.peer
        self.folder = b.folder

    def encrypt(self, plain, keys, context=None, suite=COMMITTING, frame_length=4096):
        """A message."""
        sealed, _ = self._run("encrypt", plain, keys, context=dict(context or {}), suite=suite, frameLength=frame_length)
        return sealed

    def decrypt(self, sealed, keys, utf8_sorting=False):
        """The plain bytes and the context. As its users have it, it sorts contexts by the language's order."""
        plain, said = self._run("decrypt", sealed, keys, utf8Sorting=utf8_sorting)
        return plain, json.loads(said)

    def _run(self, verb, content, keys, **how):
        binary, packages = environments.node()
        source, target = (os.path.join(self.folder, name) for name in ("js-source", "js-target"))
        with open(source, "wb") as file:
            file.write(content)
        job = {"do": verb, "from": source, "to": target, "keys": [self._key(key) for key in keys], **how}
        environment = clean_environment(**self.peer.environment())
        # Not ours, but every Node.js' own: what lies beside the program is not searched otherwise.
        environment.update(NODE_PATH=os.path.join(packages, "node_modules"), NODE_EXTRA_CA_CERTS=self.peer.ca)
        program = os.path.join(environments.HERE, "javascript", "esdk.cjs")
        said = _run([binary, program], environment, self.folder, json.dumps(job).encode())
        with open(target, "rb") as file:
            return file.read(), said

    def _key(self, key):
        if isinstance(key, Aes):
            return {"kind": "aes", "namespace": key.namespace, "name": key.name, "key": key.key.hex()}
        if isinstance(key, Rsa):
            return {"kind": "rsa", "namespace": key.namespace, "name": key.name,
                    "private": key.private.decode(), "public": key.public.decode()}
        return {"kind": "kms", "arn": key.arn, "endpoint": self.peer.keys_from.url}


class Cli:
    """aws-encryption-cli, file to file; it knows KMS keys only."""

    def __init__(self, b):
        self.peer = b.peer
        self.folder = b.folder

    def encrypt(self, plain, key, context=()):
        """A message in its default suite, which is signed."""
        return self._run("--encrypt", plain, key, context)

    def decrypt(self, sealed, key, context=()):
        """The plain bytes, if the message has this context."""
        return self._run("--decrypt", sealed, key, context)

    def _run(self, verb, content, key, context):
        source, target = (os.path.join(self.folder, name) for name in ("cli-source", "cli-target"))
        with open(source, "wb") as file:
            file.write(content)
        command = [environments.encryption_cli(), verb, "--input", source, "--output", target, "--suppress-metadata",
                   "--wrapping-keys", "key=" + key.arn, "--commitment-policy", "require-encrypt-require-decrypt"]
        if context:
            command += ["--encryption-context"] + ["%s=%s" % pair for pair in context]
        _run(command, clean_environment(HOME=self.folder, **self.peer.environment()), self.folder)
        with open(target, "rb") as file:
            return file.read()


def _run(command, environment, folder, stdin=b""):
    try:
        done = subprocess.run(command, env=environment, cwd=folder, input=stdin, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed("%s did not end within %d s" % (os.path.basename(command[0]), SECONDS))
    if done.returncode != 0:
        raise Failed("%s: exit %d\n%s" % (
            os.path.basename(command[0]), done.returncode, done.stderr.decode(errors="replace")[-3000:]))
    return done.stdout
