import { createCipheriv, createHash, createHmac } from "node:crypto";
import { log } from "../../../protocol/federated/elementary.ts";
import { clipped } from "../../../protocol/federated/privacy/clip.ts";
import type { Privacy } from "../../../protocol/federated/privacy/rule.ts";

const DOMAIN = "ichain/noise/1\0";
/** Bytes of key stream that are made at once. */
const BLOCK = 1 << 16;

/**
 * Seed of a round's noise (32 bytes), from the secret of the provider. Who replays the round is told this one, which says
 * nothing of other rounds' noise.
 */
export function noiseSeed(secret: Uint8Array, job: string, round: number): Uint8Array {
  return createHmac("sha256", secret).update(`${DOMAIN}${job}\0${round}`).digest();
}

/** What an update's header has in place of a state: binds the provider to the seed before anyone draws it for a replay. */
export function noiseCommitment(seed: Uint8Array): Uint8Array {
  return createHash("sha256").update(DOMAIN).update(seed).digest();
}

/** A change as it may leave its provider: clipped, then with normal noise from `seed`. The same seed, the same noise. */
export function withNoise(change: Float64Array, { clip, noise }: Privacy, seed: Uint8Array): Float64Array {
  const values = clipped(change, clip);
  if (noise === 0) return values;
  const normal = normals(seed);
  for (let i = 0; i < values.length; i++) values[i]! += clip * noise * normal();
  return values;
}

/** Standard normal numbers by Marsaglia's polar method from AES-256-CTR's key stream, 53 digits of each uniform one. */
function normals(seed: Uint8Array): () => number {
  const cipher = createCipheriv("aes-256-ctr", seed, new Uint8Array(16));
  let stream = new DataView(new ArrayBuffer(0));
  let at = 0;
  let spare: number | undefined;
  const uniform = (): number => {
    if (at === stream.byteLength) {
      const bytes = cipher.update(new Uint8Array(BLOCK));
      stream = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      at = 0;
    }
    const value = (stream.getUint32(at) >>> 5) * 2 ** 26 + (stream.getUint32(at + 4) >>> 6);
    at += 8;
    return value / 2 ** 53;
  };
  return () => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    for (;;) {
      const [u, v] = [2 * uniform() - 1, 2 * uniform() - 1];
      const s = u * u + v * v;
      if (s <= 0 || s >= 1) continue;
      const factor = Math.sqrt((-2 * log(s)) / s);
      spare = v * factor;
      return u * factor;
    }
  };
}
