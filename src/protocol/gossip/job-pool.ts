import { z } from "zod";
import type { Hex } from "../ids.ts";
import { bytesSchema, durationSchema } from "../quantity.ts";
import { genesisSchema } from "./genesis.ts";

/** Spans of a pool, times all peers and one: so many models are measured at most. */
export const MOST_MEASURED = 1024;
/** Bytes of a peer's evidence at most, whatever the job says: it is read as one file. */
const MOST_EVIDENCE = 1 << 30;

/** The block `federated.gossip` of a job file: the job is a pool for a gossip network's peers. */
export const poolBlockSchema = z
  .strictObject({
    network: genesisSchema.shape.name.describe(
      "Name of the network; with `federated.model` it is the genesis",
    ),
    span: durationSchema
      .refine((seconds) => seconds >= 1, "at least a second")
      .describe("Length of the spans in which trainings are compared: some ten trainings"),
    past: durationSchema.prefault("0s").describe("How long before the posting models count"),
    period: durationSchema
      .prefault("0s")
      .describe(
        "How long after the time to enlist models count, before peers hand over what they have; 0: at once",
      ),
    evidence: bytesSchema
      .refine((bytes) => bytes >= 1024 && bytes <= MOST_EVIDENCE, "1 KiB to 1 GiB")
      .prefault("64 MiB")
      .describe("What a peer may hand over: its chain and its models"),
  })
  .describe(
    "Makes the job a pool that drawn validators settle: peers of a gossip network hand over their chains and models, and are paid by what their training added",
  );
export type PoolBlock = z.output<typeof poolBlockSchema>;

const seconds = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31);

/** What of it peers and validators agree to; in the job's spec. */
export const jobPoolSchema = z.strictObject({
  network: genesisSchema.shape.name,
  /** Digest of the network, whose chains count. */
  genesis: z.string().regex(/^0x[0-9a-f]{64}$/) as unknown as z.ZodType<Hex>,
  span: seconds.min(1),
  /** Seconds before `until` from which models count. */
  length: seconds,
  /** Seconds after the time to enlist until which they do. */
  period: seconds,
  /** Bytes. */
  evidence: z.number().int().min(1024).max(MOST_EVIDENCE),
});
export type JobPool = z.output<typeof jobPoolSchema>;

/** When models count, Unix seconds: `[from, until)` by their witnesses. */
export function poolTimes({ length, period }: JobPool, { enlistBy }: { readonly enlistBy: number }) {
  const until = enlistBy + period;
  return { from: until - length, until };
}
