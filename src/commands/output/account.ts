import { z } from "zod";
import { address, amount, folder, instant, jobId, jobRole, jobState } from "./values.ts";

export const init = z.strictObject({
  config: folder,
  role: jobRole.optional(),
  network: z.string().optional(),
  walletMade: z.boolean(),
  keyringMade: z.boolean(),
  address: address.optional().describe("of the wallet that was made"),
});

export const doctor = z.strictObject({
  ok: z.boolean(),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      status: z.enum(["ok", "warn", "fail"]),
      found: z.string(),
      todo: z.string().optional(),
    }),
  ),
});

export const wallet = z.strictObject({ address, keystore: folder });
export const walletAddress = z.strictObject({ address });
export const balance = z.strictObject({ address, balance: amount, owed: amount.describe("by the escrow") });
export const completion = z.strictObject({ shell: z.string(), script: z.string() });

export const journalRepair = z.strictObject({
  setAsideAs: folder.optional().describe("the damaged journal, when there was one"),
  jobs: z.array(
    z.strictObject({
      jobId,
      role: jobRole,
      state: jobState,
      standing: z.enum(["kept", "again", "lost"]),
      deadline: instant.optional(),
      atRisk: amount,
    }),
  ),
  folders: z.array(folder).describe("of jobs that are not open and no longer known"),
});
