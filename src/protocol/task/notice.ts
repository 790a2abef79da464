import { keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { IchainError } from "../../errors/error.ts";
import type { Hex } from "../ids.ts";
import { MAX_SEALED_BYTES, PART_CHARS } from "../limits.ts";
import { neutralise, neutraliseLine } from "../neutralise.ts";

/**
 * What a provider tells the requester of a job that comes to nothing (docs/protocol.md, "Notices"): that it declines a
 * posted job, or how the run of an accepted one failed, which it then gives back. It is signed by the provider's
 * account and left with the bundle's host.
 */

const count = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER);

/** How the container of the last run ended. */
const endSchema = z.strictObject({
  ended: z.string().max(32),
  exitCode: z.number().int().min(0).max(255),
  wallSeconds: count,
  cpuSeconds: count,
  peakMemoryBytes: count,
});

const noticeSchema = z.strictObject({
  version: z.literal(1),
  kind: z.enum(["declined", "failed"]),
  jobId: z.string().regex(/^0x[0-9a-f]{64}$/),
  /** Stable, for scripts. */
  code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/),
  reason: z.string().max(512),
  /** Unix seconds, by the chain's time. */
  at: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  /** Of a failed run, where there was one. */
  run: endSchema.optional(),
  /** The end of what the task printed, at most `PART_CHARS` UTF-16 units. */
  log: z.string().max(PART_CHARS).optional(),
});
export type Notice = z.infer<typeof noticeSchema>;

const signedSchema = z.strictObject({
  notice: noticeSchema,
  signature: z.string().regex(/^0x[0-9a-f]{130}$/),
});
/** With a signature of 65 bytes, see `noticeTypes`. */
export interface SignedNotice {
  readonly notice: Notice;
  readonly signature: Hex;
}

/** The signed part (EIP-712); `evidence` is `evidenceOf`. */
export const noticeTypes = {
  Notice: [
    { name: "jobId", type: "bytes32" },
    { name: "kind", type: "string" },
    { name: "code", type: "string" },
    { name: "reason", type: "string" },
    { name: "at", type: "uint64" },
    { name: "evidence", type: "bytes32" },
  ],
};

/** Hash of run and log, which are long. */
export function evidenceOf({ run, log }: Notice): Hex {
  const ended = run && [run.ended, run.exitCode, run.wallSeconds, run.cpuSeconds, run.peakMemoryBytes];
  return keccak256(toUtf8Bytes(JSON.stringify([ended ?? null, log ?? null]))) as Hex;
}

export function encodeNotice(signed: SignedNotice): Uint8Array {
  return toUtf8Bytes(JSON.stringify(signed));
}

/**
 * Parses a notice. Its texts are still as they were signed: show them by `shownNotice` only.
 * @throws NOTICE_UNTRUSTED
 */
export function decodeNotice(bytes: Uint8Array): SignedNotice {
  if (bytes.length > MAX_SEALED_BYTES) throw untrustedNotice("it is too long");
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return signedSchema.parse(JSON.parse(text)) as SignedNotice;
  } catch (cause) {
    throw untrustedNotice("it is malformed", cause);
  }
}

/** The notice with texts that are safe to print. */
export function shownNotice({ notice }: SignedNotice): Notice {
  const { reason, log, run } = notice;
  return {
    ...notice,
    reason: neutraliseLine(reason),
    ...(run === undefined ? {} : { run: { ...run, ended: neutraliseLine(run.ended) } }),
    ...(log === undefined ? {} : { log: neutralise(log) }),
  };
}

export function untrustedNotice(why: string, cause?: unknown): IchainError {
  return new IchainError("NOTICE_UNTRUSTED", `A notice about this job was not taken: ${why}.`, { cause });
}
