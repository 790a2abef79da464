import { execFile } from "node:child_process";
import { createHash, createPublicKey, generateKeyPair } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { childEnvironment } from "../../config.ts";
import { IchainError } from "../../errors/error.ts";

const generate = promisify(generateKeyPair);

/** Writes a relay's RSA identity where tor reads it; returns its fingerprint, 40 hex digits. */
export async function makeRelayKey(dataDir: string): Promise<string> {
  const { privateKey } = await generate("rsa", { modulusLength: 1024, publicExponent: 65537 });
  const folder = join(dataDir, "keys");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, "secret_id_key"), privateKey.export({ type: "pkcs1", format: "pem" }), {
    mode: 0o600,
  });
  const der = createPublicKey(privateKey).export({ type: "pkcs1", format: "der" });
  return createHash("sha1").update(der).digest("hex").toUpperCase();
}

/**
 * Makes an authority's v3 identity and its certificate with `tor-gencert`, which comes with tor, and
 * returns the identity's fingerprint. The passphrase is empty: the key is deleted with the network.
 * @throws TOR_GENCERT_FAILED
 */
export async function makeAuthorityKey(dataDir: string, signal?: AbortSignal): Promise<string> {
  const folder = join(dataDir, "keys");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const args = ["--create-identity-key", "-m", "12", "--passphrase-fd", "0"];
  await new Promise<void>((resolve, reject) => {
    const options = { cwd: folder, env: childEnvironment(), signal };
    const child = execFile("tor-gencert", args, options, (error) =>
      error === null ? resolve() : reject(noKeys(error)),
    );
    child.stdin?.end("\n");
  });
  const certificate = await readFile(join(folder, "authority_certificate"), "utf8");
  const fingerprint = /^fingerprint ([0-9A-F]{40})$/m.exec(certificate)?.[1];
  if (fingerprint === undefined) throw noKeys("the certificate has no fingerprint");
  return fingerprint;
}

function noKeys(cause: unknown): IchainError {
  return new IchainError("TOR_GENCERT_FAILED", "The private Tor network's keys could not be made.", {
    cause,
  });
}
