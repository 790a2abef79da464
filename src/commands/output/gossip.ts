import { z } from "zod";
import { federatedStates } from "../../protocol/federated/market/events.ts";
import { attackKinds } from "../../protocol/gossip/simulation-file.ts";
import {
  addressValue,
  amountValue,
  bytesValue,
  folderValue,
  hashValue,
  instantValue,
  jobIdValue,
} from "./values.ts";

const count = z.number().int().nonnegative();
const share = z.number().min(0).max(1);

const simulatedSample = z.strictObject({
  event: z.literal("sample"),
  tick: count,
  accuracy: share.describe("mean of the honest peers that train, on hidden rows"),
  accuracies: z.array(share).describe("of each peer"),
  difference: z
    .array(z.number().nonnegative())
    .describe("of each tensor: how far the peers' sums of weights are apart"),
});

const simulatedNetwork = z.strictObject({
  event: z.literal("end"),
  name: z.string(),
  seed: z.string(),
  rule: z.string(),
  ticks: count,
  accuracy: share.describe("mean of the last ten samples"),
  messages: count.describe("that peers sent each other"),
  refused: count.describe("messages that were passed over"),
  models: count.describe("that one peer got from another"),
  bytes: bytesValue.describe("of these models"),
  peers: z.array(
    z.strictObject({
      peer: count,
      account: addressValue,
      plays: z.enum(["honest", "observer", ...attackKinds]),
      accuracy: share,
      trainings: count,
      averagings: count,
      blocks: count.describe("finished"),
      receipts: count.describe("in its blocks"),
      confirmations: count.describe("of them"),
      reputation: z
        .strictObject({ least: share, most: share })
        .optional()
        .describe("with those that judged it; absent where none did"),
    }),
  ),
  plot: folderValue.optional(),
  chains: folderValue.optional(),
});

/** `gossip simulate`: a line a sample, then the end. */
export const gossipSimulateOutput = z.union([simulatedSample, simulatedNetwork]);

const seconds = z.number().nonnegative();
const peerCpu = z.strictObject({
  records: seconds.describe("signing, verifying, hashing and storing records: the chain's part"),
  process: seconds.describe("all of the process, that included; tor not"),
  tasks: seconds.describe("of the task's runs"),
});

/** `gossip run`: a line an event, the last one when it ends. */
export const gossipRunOutput = z.discriminatedUnion("event", [
  z.strictObject({
    event: z.literal("ready"),
    account: addressValue,
    address: z.string().describe("what neighbours name in their gossip.yaml"),
    store: folderValue.describe("the peer's store, for verify, show and export"),
    blocks: count.describe("finished by earlier processes"),
  }),
  z.strictObject({
    event: z.literal("neighbour"),
    account: addressValue,
    answers: z.boolean().describe("false: it did not answer the last request"),
  }),
  z.strictObject({
    event: z.literal("trained"),
    trainings: count,
    seconds,
  }),
  z.strictObject({
    event: z.literal("measured"),
    models: count.describe("of others, in this run of the task"),
    accuracy: share.describe("of the peer's own model, on its rows that measure"),
  }),
  z.strictObject({
    event: z.literal("averaged"),
    models: count,
    leftOut: count.describe("of them, by the averaging rule"),
  }),
  z.strictObject({
    event: z.literal("block"),
    height: count,
    transactions: count,
    receipts: count,
    confirmations: count,
    cpu: peerCpu.describe("seconds since the process began"),
  }),
  z.strictObject({
    event: z.literal("ended"),
    blocks: count,
    accuracy: share.optional().describe("absent where nothing was measured"),
    refused: count.describe("messages that were passed over"),
    cpu: peerCpu,
  }),
]);

export const gossipAddressOutput = z.strictObject({ account: addressValue, address: z.string() });

export const gossipVerifyOutput = z.strictObject({
  chain: folderValue,
  name: z.string().describe("of the network"),
  creator: addressValue.optional().describe("absent where there is no block"),
  blocks: count,
  transactions: count,
  receipts: count,
  confirmations: count,
  tip: hashValue.describe("final digest of the last block, which stands for all before it"),
});

export const gossipShowOutput = z.strictObject({
  chains: z.array(
    z.strictObject({
      chain: folderValue,
      creator: addressValue.optional(),
      blocks: z.array(
        z.strictObject({
          height: count,
          finalizedAt: instantValue,
          transactions: count,
          receipts: count,
          confirmations: count,
          accuracy: share.describe("mean of its receipts"),
        }),
      ),
      witnesses: z.array(z.strictObject({ account: addressValue, confirmations: count })),
    }),
  ),
  svg: folderValue.optional(),
});

export const gossipExportOutput = z.strictObject({ file: folderValue, blocks: count, bytes: bytesValue });

/** `gossip settle`. */
export const gossipSettleOutput = z.strictObject({
  name: z.string().describe("of the network"),
  exam: folderValue.describe("where the models to be measured are, and what was measured"),
  models: count.describe("that are to be measured"),
  spans: count.describe("of time, in which peers' training is compared"),
  measured: z.boolean(),
  peers: z.array(
    z.strictObject({
      account: addressValue,
      counted: count.describe("models that count"),
      uncounted: z.strictObject({
        unconfirmed: count.describe("that no other peer of the settlement confirmed"),
        repeated: count.describe("that were seen before, of this peer or another"),
        missing: count.describe("that were not handed over"),
      }),
      worth: count.optional().describe("accuracy that would be missing without its training, millionths"),
      share: amountValue.optional(),
    }),
  ),
  rest: amountValue.optional().describe("of the pool, to who settles"),
  escrow: z
    .strictObject({
      state: z.enum(federatedStates),
      deadline: instantValue.describe("of this step; once ended, of disputes"),
      paid: z.boolean().describe("all are credited with their shares, and deposits are free"),
    })
    .optional()
    .describe("of a pool on the chain, after what was done now"),
});

export const gossipPoolOutput = z.strictObject({
  job: jobIdValue,
  ticket: folderValue.describe("the file that peers enlist with"),
  pool: amountValue,
  peers: z.array(addressValue),
});

export const gossipEnlistOutput = z.strictObject({
  job: jobIdValue,
  deposit: amountValue.describe("of the stake, locked until the pool is paid"),
  pool: amountValue,
  enlisted: count.describe("peers"),
  enlistBy: instantValue,
});
