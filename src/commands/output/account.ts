import { z } from "zod";
import { benchmarkSchema } from "../../protocol/machine/benchmark.ts";
import { pricesOutput } from "./market.ts";
import {
  addressValue,
  amountValue,
  bytesValue,
  folderValue,
  instantValue,
  jobIdValue,
  jobRoleValue,
  jobStateValue,
  tokenValue,
} from "./values.ts";
import { callsOutput, policyTestOutput } from "./work.ts";

export const initOutput = z.strictObject({
  config: folderValue,
  role: jobRoleValue.optional(),
  network: z.string().optional(),
  walletMade: z.boolean(),
  keyringMade: z.boolean(),
  address: addressValue.optional().describe("of the wallet that was made"),
  prepared: z
    .strictObject({
      benchmark: benchmarkSchema.optional().describe("absent where the machine was not measured"),
      policy: z
        .strictObject({
          file: folderValue,
          price: amountValue.describe("wei an hour"),
          market: pricesOutput.optional().describe("offers of machines like this one"),
        })
        .describe("that was written"),
      verdicts: policyTestOutput.shape.verdicts.describe(
        "whether the policy takes the job of `ichain new sklearn`",
      ),
      runtime: z.boolean().describe("whether the image python-ml is held"),
    })
    .optional()
    .describe("of a provider, with --policy"),
});

export const doctorOutput = z.strictObject({
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

export const updateOutput = z.strictObject({
  installed: z.string().describe("version"),
  newest: z.string().describe("version, as the package registry that npm asks has it"),
  newer: z.boolean().describe("the newest is newer than the installed one"),
});

export const backupOutput = z.strictObject({
  file: folderValue,
  bytes: bytesValue,
  files: z.number().int(),
  moved: z.boolean().describe("this home acts no more"),
  owner: addressValue.describe("of the account: itself, where its key moves stake and pay"),
});

export const restoreOutput = z.strictObject({
  home: folderValue,
  account: addressValue,
  at: instantValue.describe("Unix seconds: when the backup was written"),
});

export const walletOutput = z.strictObject({ address: addressValue, keystore: folderValue });
export const walletAddressOutput = z.strictObject({ address: addressValue });
export const balanceOutput = z.strictObject({
  address: addressValue,
  balance: amountValue.describe("wei"),
  owed: amountValue.describe("wei, by the escrow"),
  tokens: z
    .array(z.strictObject({ token: tokenValue, balance: amountValue, owed: amountValue }))
    .describe("those that the network lists, and others that the escrow owes"),
  owner: addressValue.describe("of the account: itself, or who accepted it"),
  payee: addressValue.describe("where what is owed is paid"),
});
const withdrawn = z.strictObject({
  address: addressValue,
  payee: addressValue.describe("who got it"),
  withdrawn: z.array(z.strictObject({ token: tokenValue, amount: amountValue })),
});
export const walletWithdrawOutput = z.union([withdrawn, callsOutput]);
export const completionOutput = z.strictObject({ shell: z.string(), script: z.string() });

export const journalRepairOutput = z.strictObject({
  setAsideAs: folderValue.optional().describe("the damaged journal, when there was one"),
  jobs: z.array(
    z.strictObject({
      jobId: jobIdValue,
      role: jobRoleValue,
      state: jobStateValue,
      standing: z.enum(["kept", "again", "lost"]),
      deadline: instantValue.optional(),
      atRisk: amountValue,
      token: tokenValue,
    }),
  ),
  folders: z.array(folderValue).describe("of jobs that are not open and no longer known"),
});

const contracts = z.strictObject({
  escrow: addressValue,
  registry: addressValue,
  rating: addressValue,
  federated: addressValue.optional(),
  campaigns: addressValue.optional(),
  improvements: addressValue.optional(),
  block: z.number().int().optional(),
});
const network = z.strictObject({ name: z.string(), chainId: z.number().int() });
export const networkListOutput = z.strictObject({
  networks: z.array(
    network.extend({ escrow: addressValue, confirmations: z.number().int(), inUse: z.boolean() }),
  ),
});
export const networkAddOutput = network.extend({ contracts, verified: z.literal(true) });
export const networkDeployOutput = network.extend({ contracts, file: folderValue });
