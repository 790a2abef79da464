import type { PrivateKey } from "openpgp";
import { IchainError } from "../../../errors/error.ts";
import type { Keyring } from "../../../ports/parcels.ts";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import { isHex } from "../../../protocol/ids.ts";
import { agree } from "./agree.ts";
import { readBoundCertificate } from "./binding.ts";
import { modern, openpgp } from "./openpgp.ts";
import type { KeyringSecret } from "./secret.ts";

/** Longest message to seal, bytes. */
const MAX_SEALED_MESSAGE = 1 << 16;
const MAX_CIPHERTEXT_BYTES = MAX_SEALED_MESSAGE + 1024;
const MAX_CAPSULE_BYTES = 1024;

// RFC 9580, 5: packet tags
const PKESK = 1;
const SEIPD = 18;

/** A keyring that can also sign as the author of parcels. */
export interface AuthorKeyring extends Keyring {
  /** `content` inside an OpenPGP signed message (one-pass signature, literal, signature). */
  sign(content: Uint8Array): Promise<Uint8Array>;
}

/**
 * Seals, opens and signs with the account's keys. A sealed message (PKESK version 6, SEIPD version 2; RFC 9580, 5.1.2
 * and 5.13.2) is 157 bytes longer than its content, a capsule has about 110 bytes; neither names its reader.
 * @example
 * const keyring = createKeyring({ secret: await loadKeyring(path, { passphrase }) });
 * const sealed = await keyring.seal(message, party);
 */
export function createKeyring({ secret }: { secret: KeyringSecret }): AuthorKeyring {
  let parsed: Promise<PrivateKey> | undefined;
  const privateKey = () => {
    parsed ??= openpgp().then((pgp) =>
      pgp.readPrivateKey({ binaryKey: fromHex(secret.openpgp.privateKey), config: modern(pgp) }),
    );
    return parsed;
  };

  return {
    publicKeys: {
      openpgpKey: secret.openpgp.publicKey,
      fingerprint: secret.openpgp.fingerprint,
      onionKey: secret.onion.publicKey,
    },

    async check(reader) {
      await readBoundCertificate(reader);
    },

    async seal(message, party) {
      if (message.length > MAX_SEALED_MESSAGE) throw tooLong(message.length);
      const [pgp, reader] = await Promise.all([openpgp(), readBoundCertificate(party)]);
      const sealed = await pgp.encrypt({
        message: await pgp.createMessage({ binary: message, date: new Date(0) }),
        encryptionKeys: reader,
        wildcard: true,
        format: "binary",
        config: modern(pgp),
        date: new Date(),
      });
      const bytes = sealed as Uint8Array;
      await readSealed(bytes, MAX_CIPHERTEXT_BYTES, [PKESK, SEIPD]); // never send what our own reader refuses
      return toHex(bytes);
    },

    async unseal(sealed) {
      if (!isHex(sealed) || sealed.length > 2 + 2 * MAX_CIPHERTEXT_BYTES) throw notForUs();
      const message = await readSealed(fromHex(sealed), MAX_CIPHERTEXT_BYTES, [PKESK, SEIPD]);
      const pgp = await openpgp();
      try {
        const { data } = await pgp.decrypt({
          message,
          decryptionKeys: await privateKey(),
          format: "binary",
          config: modern(pgp),
          date: null as unknown as Date, // no check of time: our key has no expiry, and the sender's clock may differ
        });
        return data as Uint8Array;
      } catch (cause) {
        throw notForUs(cause);
      }
    },

    async wrap(sessionKey, party) {
      const [pgp, reader] = await Promise.all([openpgp(), readBoundCertificate(party)]);
      return pgp.encryptSessionKey({
        data: fromHex(sessionKey),
        algorithm: "aes256",
        aeadAlgorithm: "gcm",
        encryptionKeys: reader,
        wildcard: true,
        format: "binary",
        config: modern(pgp),
      });
    },

    async unwrap(capsule) {
      const message = await readSealed(capsule, MAX_CAPSULE_BYTES, [PKESK]);
      const pgp = await openpgp();
      try {
        const keys = await pgp.decryptSessionKeys({
          message,
          decryptionKeys: await privateKey(),
          config: modern(pgp),
        });
        const data = keys[0]?.data;
        if (keys.length !== 1 || data?.length !== 32) throw notForUs();
        return toHex(data);
      } catch (cause) {
        throw notForUs(cause);
      }
    },

    agree: async (onionKey, purpose) => agree(secret.onion, onionKey, purpose),

    async sign(content) {
      const pgp = await openpgp();
      const signed = await pgp.sign({
        message: await pgp.createMessage({ binary: content, date: new Date(0) }),
        signingKeys: await privateKey(),
        format: "binary",
        config: modern(pgp),
      });
      return signed as Uint8Array;
    },
  };
}

/**
 * Parses `bytes`, which must be exactly these packets, PKESK in version 6 and SEIPD in version 2.
 * @throws SEAL_NOT_FOR_US
 */
async function readSealed(bytes: Uint8Array, limit: number, tags: readonly number[]) {
  if (bytes.length > limit) throw notForUs();
  const pgp = await openpgp();
  try {
    const message = await pgp.readMessage({ binaryMessage: bytes, config: modern(pgp) });
    const packets = [...message.packets] as { constructor: { tag?: number }; version?: number }[];
    const versions: Readonly<Record<number, number>> = { [PKESK]: 6, [SEIPD]: 2 };
    const exact =
      packets.length === tags.length &&
      packets.every(
        (packet, i) => packet.constructor.tag === tags[i] && packet.version === versions[tags[i]!],
      );
    if (!exact) throw notForUs();
    return message;
  } catch (cause) {
    throw cause instanceof IchainError ? cause : notForUs(cause);
  }
}

function notForUs(cause?: unknown): IchainError {
  return new IchainError("SEAL_NOT_FOR_US", "The sealed message does not open with this account's key.", {
    cause: cause instanceof IchainError ? undefined : cause,
  });
}

function tooLong(length: number): IchainError {
  return new IchainError("SEAL_TOO_LONG", `A message of ${length} bytes is too long to seal.`, {
    hint: `Seal at most ${MAX_SEALED_MESSAGE} bytes; put the rest into a parcel.`,
  });
}
