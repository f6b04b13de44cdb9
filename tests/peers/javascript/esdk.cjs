// Seals and opens files with the official AWS Encryption SDK for JavaScript.
//
// Takes one job as JSON on standard input: {do: "encrypt" | "decrypt", from, to, keys, context, suite,
// frameLength, utf8Sorting}; for decrypt, writes the message's context as JSON to standard output. Never held
// to be right by itself: what it reads was written by s3seal, and what it writes is read by s3seal.
"use strict";

const fs = require("node:fs");
const { constants } = require("node:crypto");
const {
  AlgorithmSuiteIdentifier, CommitmentPolicy, KmsKeyringNode, MultiKeyringNode, RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier, RawRsaKeyringNode, buildClient, getClient, KMS,
} = require("@aws-crypto/client-node");

function keyring(key, utf8Sorting) {
  const named = { keyNamespace: key.namespace, keyName: key.name };
  if (key.kind === "aes") {
    return new RawAesKeyringNode({
      ...named,
      unencryptedMasterKey: Uint8Array.from(Buffer.from(key.key, "hex")),
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
      utf8Sorting,
    });
  }
  if (key.kind === "rsa") {
    const rsaKey = { publicKey: key.public, privateKey: key.private };
    return new RawRsaKeyringNode({
      ...named, rsaKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256",
    });
  }
  const clientProvider = getClient(KMS, { endpoint: key.endpoint });
  return new KmsKeyringNode({ generatorKeyId: key.arn, clientProvider });
}

async function main() {
  const job = JSON.parse(fs.readFileSync(0, "utf8"));
  const rings = job.keys.map((key) => keyring(key, job.utf8Sorting));
  const all = rings.length === 1 ? rings[0] : new MultiKeyringNode({ generator: rings[0], children: rings.slice(1) });
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const input = fs.readFileSync(job.from);
  if (job.do === "encrypt") {
    const { result } = await client.encrypt(all, input, {
      suiteId: AlgorithmSuiteIdentifier[job.suite],
      encryptionContext: job.context,
      frameLength: job.frameLength,
    });
    fs.writeFileSync(job.to, result);
    return;
  }
  const { plaintext, messageHeader } = await client.decrypt(all, input);
  fs.writeFileSync(job.to, plaintext);
  process.stdout.write(JSON.stringify(messageHeader.encryptionContext));
}

main().catch((error) => {
  process.stderr.write(`${error && error.stack}\n`);
  process.exitCode = 1;
});
