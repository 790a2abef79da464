import { z } from "zod";
import type { Address } from "../ids.ts";

/** What providers' own data are called, by the jobs that ask for them and the policies that give them. */
export const ownDataName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be at most 32 small letters, digits and dashes");

const folder = z
  .string()
  .max(4096)
  .regex(/^\/(?!.*(^|\/)\.\.(\/|$))/, "must be an absolute path without ..");

/** A folder of a provider's own that tasks of federated jobs may read, by the policy. */
const ownDataSchema = z.union([
  folder.transform((path) => ({ folder: path }) as OwnData),
  z.strictObject({
    folder,
    requesters: z
      .array(z.custom<Address>((value) => /^0x[0-9a-fA-F]{40}$/.test(String(value))))
      .max(10_000)
      .optional(),
    maxEpsilon: z.number().positive().max(1e6).optional(),
    maxClip: z.number().positive().max(1e6).optional(),
  }),
]);
export interface OwnData {
  readonly folder: string;
  /** The accounts whose jobs may read it; all that the policy accepts when absent. */
  readonly requesters?: readonly Address[] | undefined;
  /** Most ε of a whole job; absent: noise is not demanded. */
  readonly maxEpsilon?: number | undefined;
  /** Longest L2 norm to which a job may clip; absent: clipping is not demanded. */
  readonly maxClip?: number | undefined;
}

export const ownDataRules = z
  .record(ownDataName, ownDataSchema)
  .default({})
  .describe(
    "Folders of your own, by name, that tasks of federated jobs may read if they ask for the name; the path, or " +
      "`{folder, requesters, maxEpsilon, maxClip}`: whose jobs alone, and the most ε and the longest norm of an update that they may have. " +
      "Nothing of them leaves but updates",
  );
export type OwnDataRules = z.infer<typeof ownDataRules>;
