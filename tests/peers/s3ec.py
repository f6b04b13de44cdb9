"""The official Python client of the S3 Encryption Client family, as the cases use it.

Why: it is the one reader and writer of this format that others wrote and that
runs here. It knows KMS keys only; for AES and RSA keys it gets a keyring of ours,
so that its metadata, commitment and content code still judge what s3seal wrote.
Not here: the cases (cases_s3ec.py).
"""

from attrs import define, field
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.materials.keyring import S3Keyring
from s3_encryption.materials.kms_keyring import KmsKeyring
from s3_encryption.materials.materials import AlgorithmSuite, CommitmentPolicy

V2 = AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF
V3 = AlgorithmSuite.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY

# What a data key is bound to when it is wrapped, per format.
BOUND_TO = {V2: b"AES/GCM/NoPadding", V3: b"115"}


def with_kms(peer, key, suite=V3):
    """The client as its users have it: strict for V3, and for V2 the policy that writes it."""
    return _client(peer, KmsKeyring(peer.kms(), key.arn), suite)


def with_raw_key(peer, wrapping_key, suite=V3):
    """The client with a local key: 32 bytes of AES, or an RSA private key. It only reads."""
    return _client(peer, RawKeyring(wrapping_key, BOUND_TO[suite]), suite)


def _client(peer, keyring, suite):
    policy = (CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT if suite is V3
              else CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
    config = S3EncryptionClientConfig(keyring=keyring, encryption_algorithm=suite, commitment_policy=policy)
    return S3EncryptionClient(peer.new_s3(), config)


@define
class RawKeyring(S3Keyring):
    """Unwraps data keys with a local key, bound to `bound_to` as the format demands."""

    wrapping_key: object = field()
    bound_to: bytes = field()

    def on_encrypt(self, enc_materials):
        """The client would call its wrap kms+context whatever the keyring: not to be used."""
        raise NotImplementedError("this keyring only reads")

    def on_decrypt(self, dec_materials, encrypted_data_keys=None):
        """Unwraps the one data key."""
        dec_materials = super().on_decrypt(dec_materials, encrypted_data_keys)
        wrapped, = dec_materials.encrypted_data_keys if encrypted_data_keys is None else encrypted_data_keys
        unwrap = {"AES/GCM": self._aes, "RSA-OAEP-SHA1": self._rsa}[wrapped.key_provider_info]
        dec_materials.plaintext_data_key = unwrap(wrapped.encrypted_data_key)
        return dec_materials

    def _aes(self, wrapped):
        return AESGCM(self.wrapping_key).decrypt(wrapped[:12], wrapped[12:], self.bound_to)

    def _rsa(self, wrapped):
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
        payload = self.wrapping_key.decrypt(wrapped, oaep)
        length, data_key, rest = payload[0], payload[1:33], payload[33:]
        if length != 32 or rest != self.bound_to:
            raise ValueError("the RSA payload is not length, key, %r" % self.bound_to)
        return data_key
