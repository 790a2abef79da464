import { type CipherGCM, createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { Transform } from "node:stream";
import { promisify } from "node:util";
import { z } from "zod";
import { IchainError } from "../errors/error.ts";
import { isNewer, tooNew } from "../errors/newer.ts";

/**
 * A backup file: a line of JSON, then a tar archive under AES-256-GCM, whose key scrypt (RFC 7914) makes of the wallet's
 * password, then the tag. The line is authenticated with it.
 */
const headerSchema = z.strictObject({
  ichain: z.literal("backup"),
  version: z.literal(1),
  salt: z.base64().max(64),
  nonce: z.base64().max(64),
});

/** Of every version. */
const isBackup = z.object({ ichain: z.literal("backup") });

const MAX_HEADER_BYTES = 512;
const TAG_BYTES = 16;
/** 128 MiB and about half a second: a backup is guessed at where nobody sees it. */
const KDF = { N: 1 << 17, r: 8, p: 1, maxmem: 256 << 20 } as const;

const deriveKey = (password: string, salt: string): Promise<Buffer> =>
  promisify<string, Buffer, number, typeof KDF, Buffer>(scrypt)(
    password,
    Buffer.from(salt, "base64"),
    32,
    KDF,
  );

/** The header, and the stream that encrypts what comes after it. */
export async function sealing(password: string): Promise<{ header: Buffer; seal: Transform }> {
  const [salt, nonce] = [randomBytes(16).toString("base64"), randomBytes(12).toString("base64")];
  const header = Buffer.from(`${JSON.stringify({ ichain: "backup", version: 1, salt, nonce })}\n`);
  const cipher: CipherGCM = createCipheriv(
    "aes-256-gcm",
    await deriveKey(password, salt),
    Buffer.from(nonce, "base64"),
  );
  cipher.setAAD(header);
  const seal = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, cipher.update(chunk)),
    flush(done) {
      this.push(cipher.final());
      done(null, cipher.getAuthTag());
    },
  });
  return { header, seal };
}

/**
 * Where the encrypted part begins and ends, and the stream that decrypts it; that stream fails at its end where the
 * password is wrong or a byte was changed: what came out of it must not count before.
 * @throws BACKUP_UNREADABLE, STATE_TOO_NEW
 */
export async function opening(
  { file, path }: { readonly file: FileHandle; readonly path: string },
  password: string,
): Promise<{ start: number; end: number; open: Transform }> {
  const { size } = await file.stat();
  const head = (await file.read(Buffer.alloc(MAX_HEADER_BYTES), 0, MAX_HEADER_BYTES, 0)).buffer;
  const start = head.indexOf(10) + 1;
  const end = size - TAG_BYTES;
  const json = parse(head.subarray(0, start).toString());
  if (isBackup.safeParse(json).success && isNewer(json, 1)) throw tooNew("backup", path);
  const header = headerSchema.safeParse(json);
  if (start === 0 || end < start || !header.success) throw unreadable();
  const { salt, nonce } = header.data;
  const decipher = createDecipheriv(
    "aes-256-gcm",
    await deriveKey(password, salt),
    Buffer.from(nonce, "base64"),
  );
  decipher.setAAD(head.subarray(0, start));
  decipher.setAuthTag((await file.read(Buffer.alloc(TAG_BYTES), 0, TAG_BYTES, end)).buffer);
  const open = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, decipher.update(chunk)),
    flush(done) {
      try {
        done(null, decipher.final());
      } catch (cause) {
        done(unreadable(cause));
      }
    },
  });
  return { start, end, open };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Wrong password, a damaged file, or none of ours: the cipher cannot tell. */
export function unreadable(cause?: unknown): IchainError {
  return new IchainError(
    "BACKUP_UNREADABLE",
    "This is no backup that the password opens, or it is damaged.",
    {
      cause,
    },
  );
}
