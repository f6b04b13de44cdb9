"""What KMS answers: data keys, contexts, and keys that cannot be used.

Why: client-side sealing asks KMS by itself; the sandbox's KMS must refuse as KMS does.
Not here: KMS keys through S3 (contract_objects.py).
"""

from probes import probe

CONTEXT = {"team": "blue", "aws:x-amz-cek-alg": "115"}


@probe("data-keys")
def data_keys(p):
    """Made, opened, and not opened with another context."""
    made = p.ask_kms("generate", "generate_data_key", "KeyId", KeyId=p.key.id, KeySpec="AES_256", EncryptionContext=CONTEXT)
    sealed = made["CiphertextBlob"]
    p.note("lengths", plain=len(made["Plaintext"]))
    opened = p.ask_kms("decrypt", "decrypt", "KeyId", "EncryptionAlgorithm", CiphertextBlob=sealed, EncryptionContext=CONTEXT)
    p.note("opened", same=opened["Plaintext"] == made["Plaintext"])
    p.ask_kms("decrypt-by-key", "decrypt", "KeyId", KeyId=p.key.arn, CiphertextBlob=sealed, EncryptionContext=CONTEXT)
    p.ask_kms("other-context", "decrypt", CiphertextBlob=sealed, EncryptionContext={"team": "red"})
    p.ask_kms("no-context", "decrypt", CiphertextBlob=sealed)
    p.ask_kms("tampered", "decrypt", CiphertextBlob=sealed[:-1] + bytes([sealed[-1] ^ 1]), EncryptionContext=CONTEXT)
    p.ask_kms("other-key", "decrypt", KeyId=p.peer.new_key().id, CiphertextBlob=sealed, EncryptionContext=CONTEXT)
    p.ask_kms("without-plaintext", "generate_data_key_without_plaintext", "KeyId", "Plaintext", KeyId=p.key.id,
              KeySpec="AES_256")
    p.ask_kms("of-16-bytes", "generate_data_key", "KeyId", KeyId=p.key.id, KeySpec="AES_128")


@probe("encrypt")
def encrypt(p):
    """A caller's own bytes, and from key to key."""
    sealed = p.ask_kms("encrypt", "encrypt", "KeyId", "EncryptionAlgorithm", KeyId=p.key.id, Plaintext=b"secret",
                       EncryptionContext=CONTEXT)["CiphertextBlob"]
    p.ask_kms("decrypt", "decrypt", "KeyId", "Plaintext", CiphertextBlob=sealed, EncryptionContext=CONTEXT)
    # LocalStack needs to be told the source key, KMS does not.
    moved = p.ask_kms("re-encrypt", "re_encrypt", "SourceKeyId", CiphertextBlob=sealed, SourceKeyId=p.key.id,
                      SourceEncryptionContext=CONTEXT, DestinationKeyId=p.peer.other_key.id,
                      DestinationEncryptionContext={"team": "red"})
    p.ask_kms("decrypt-moved", "decrypt", "Plaintext", CiphertextBlob=moved["CiphertextBlob"],
              EncryptionContext={"team": "red"})
    p.ask_kms("re-encrypt-other-context", "re_encrypt", CiphertextBlob=sealed, SourceKeyId=p.key.id,
              DestinationKeyId=p.key.id)
    p.ask_kms("too-large", "encrypt", KeyId=p.key.id, Plaintext=bytes(4097))


@probe("key-states")
def key_states(p):
    """Unknown, disabled, about to be deleted."""
    sealed = p.ask_kms("generate", "generate_data_key", KeyId=p.key.id, KeySpec="AES_256")["CiphertextBlob"]
    for name, key in {"id": "00000000-0000-0000-0000-000000000000", "alias": "alias/absent",
                      "arn": p.key.arn.replace(p.key.id, "00000000-0000-0000-0000-000000000000")}.items():
        p.ask_kms("unknown-" + name, "generate_data_key", KeyId=key, KeySpec="AES_256")
    p.ask_kms("disable", "disable_key", KeyId=p.key.id)
    p.ask_kms("generate-disabled", "generate_data_key", KeyId=p.key.id, KeySpec="AES_256")
    p.ask_kms("decrypt-disabled", "decrypt", CiphertextBlob=sealed)
    p.note("state-disabled", state=p.kms.describe_key(KeyId=p.key.id)["KeyMetadata"]["KeyState"])
    p.ask_kms("enable", "enable_key", KeyId=p.key.id)
    p.ask_kms("schedule", "schedule_key_deletion", "KeyState", KeyId=p.key.id, PendingWindowInDays=7)
    p.ask_kms("decrypt-pending", "decrypt", CiphertextBlob=sealed)
    p.ask_kms("cancel", "cancel_key_deletion", KeyId=p.key.id)
    p.note("state-cancelled", state=p.kms.describe_key(KeyId=p.key.id)["KeyMetadata"]["KeyState"])


@probe("aliases")
def aliases(p):
    """A key by another name."""
    p.ask_kms("create", "create_alias", AliasName="alias/contract", TargetKeyId=p.key.id)
    p.ask_kms("create-again", "create_alias", AliasName="alias/contract", TargetKeyId=p.key.id)
    p.ask_kms("generate", "generate_data_key", "KeyId", KeyId="alias/contract", KeySpec="AES_256")
    p.note("describe", arn=p.kms.describe_key(KeyId="alias/contract")["KeyMetadata"]["Arn"])
    p.ask("put", "put_object", Body=b"abc", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/contract")
    p.ask("put-absent", "put_object", Body=b"abc", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/absent")
