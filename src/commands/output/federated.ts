import { z } from "zod";
import { badKinds } from "../../protocol/federated/job-file.ts";
import { federatedCauses, federatedStates } from "../../protocol/federated/market/events.ts";
import { replayFindings } from "../../protocol/federated/replay.ts";
import {
  addressValue,
  amountValue,
  bytesValue,
  folderValue,
  hashValue,
  instantValue,
  secondsValue,
  tokenValue,
} from "./values.ts";

const count = z.number().int().nonnegative();
const accuracy = z.number().min(0).max(1);
const plays = z.enum(badKinds).optional().describe("how it cheats; absent for the honest");

const simulatedRound = z.strictObject({
  event: z.literal("round"),
  round: count.describe("from 1"),
  accuracy: accuracy.describe("of the new model on the hidden rows"),
  loss: z.number().describe("nats"),
  rest: amountValue.describe("of the round's price, paid to no provider"),
  refunded: z.boolean(),
  end: z
    .strictObject({
      refund: amountValue.describe("what goes back to the requester"),
      banned: z.array(addressValue),
      award: amountValue.describe("what each of the others gets of the cheats' deposits"),
      rest: amountValue.describe("what is left of these deposits"),
    })
    .optional()
    .describe("where a proven cheat ended the job (`onCheat: refund`)"),
  privacy: z
    .strictObject({ epsilon: z.number().nonnegative(), delta: z.number().positive() })
    .optional()
    .describe("of a provider's part, so far; absent without noise"),
  providers: z.array(
    z.strictObject({
      account: addressValue,
      bad: plays,
      rows: count,
      bytes: bytesValue.describe("of its update; 0 where none arrived"),
      accuracy: accuracy.describe("of the model with its update, on the round's hidden slice"),
      gains: z
        .strictObject({ own: z.number(), others: z.number() })
        .optional()
        .describe("how much its update lowers the loss on its own rows and on others', nats"),
      taken: z.boolean().describe("whether the update is in the new model"),
      weight: count,
      audit: z.enum(replayFindings).optional().describe("what its replay found, where there was one"),
      pay: amountValue,
    }),
  ),
});

const simulatedEnd = z.strictObject({
  event: z.literal("end"),
  name: z.string(),
  seed: z.string(),
  strategy: z.string(),
  rounds: count,
  price: amountValue.describe("of the whole job"),
  accuracy,
  earned: z.array(
    z.strictObject({
      account: addressValue,
      bad: plays,
      pay: amountValue,
      rounds: count.describe("in which it was paid"),
    }),
  ),
  plot: folderValue.optional(),
  ledger: folderValue.optional(),
});

/** `simulate`: a line a round, then the end. */
export const simulateOutput = z.union([simulatedRound, simulatedEnd]);

export const federatedBondOutput = z.strictObject({
  jobId: hashValue,
  state: z.enum(federatedStates),
  bond: amountValue,
  token: tokenValue,
});

const dispute = z.strictObject({
  about: addressValue.optional().describe("the provider that appeals a strike; absent for a closing"),
  round: count,
  challenger: addressValue,
});

/** A federated job on the market. */
const member = z.strictObject({
  account: addressValue,
  standing: z.string(),
  claimed: amountValue.describe("paid so far"),
});

export const federatedJobOutput = z.strictObject({
  jobId: hashValue,
  kind: z.literal("federated"),
  state: z.enum(federatedStates),
  stopping: z.boolean().describe("it ends with the round that is open"),
  cause: z.enum(federatedCauses).optional().describe("why it ended"),
  role: z.enum(["requester", "provider", "validator"]).optional().describe("of this account"),
  deadline: instantValue.describe("of the present step; once ended, of disputes"),
  rounds: z.strictObject({ closed: count, of: count }),
  token: tokenValue,
  disputes: z.array(
    dispute.extend({
      panel: z.array(addressValue),
      committed: count.describe("of the panel"),
      revealed: count,
      deadline: instantValue.describe("to commit, and once all have, to reveal; 0 before the panel is drawn"),
    }),
  ),
  judged: z.array(
    dispute.extend({
      decided: z.boolean().describe("more than half of the panel found the same"),
      stands: z.boolean().describe("the closing, or the strike, does"),
    }),
  ),
  price: amountValue.describe("of all rounds"),
  providers: z.array(member),
  validators: z.array(member).describe("that lead the rounds"),
  models: z.array(hashValue).describe("digest of the model that each closed round made"),
});

/** `why` of a federated job. */
export const federatedWhyOutput = federatedJobOutput.extend({
  stands: z.string().describe("where it stands"),
  next: z.string().describe("who acts, and by when"),
  otherwise: z.string().describe("what happens if no one does"),
});

/** A round of a federated job that this home leads. */
const ledRound = z.strictObject({
  event: z.literal("round"),
  jobId: hashValue,
  round: count.describe("from 1"),
  model: hashValue.describe("digest of the model that it made"),
  before: z
    .strictObject({ acc: accuracy, loss: z.number() })
    .optional()
    .describe("of the model that it began with, on the rows that measure; absent where no update arrived"),
  providers: z.array(
    z.strictObject({
      account: addressValue,
      rows: count,
      sent: z.boolean().describe("whether its update arrived"),
      bytes: bytesValue.optional().describe("of its encrypted update; absent where none arrived"),
      seconds: secondsValue.optional().describe("of its training, by its own word"),
      accuracy: accuracy.describe("of the model with its update"),
      weight: count.describe("in the mean; 0 where it was left out"),
      pay: z.strictObject({ amount: amountValue }),
    }),
  ),
});

const ledEnd = z.strictObject({
  jobId: hashValue,
  state: z.enum(federatedStates),
  cause: z.enum(federatedCauses).optional(),
  measured: z
    .strictObject({ acc: accuracy, loss: z.number() })
    .optional()
    .describe("of the last model, on the rows that measure"),
  rounds: count.describe("closed"),
  tip: hashValue.describe("of the ledger, as the chain has it"),
  folder: folderValue.describe("with model and ledger"),
});

const planned = z.strictObject({
  federated: z.literal(true),
  locked: z.strictObject({ amount: amountValue, token: addressValue }),
  rounds: count,
  roundWindow: secondsValue,
  invited: z.array(z.strictObject({ account: addressValue, name: z.string() })),
  unfit: z.array(z.strictObject({ account: addressValue, why: z.string() })),
});

const collected = z.strictObject({
  jobId: hashValue,
  state: z.enum(federatedStates),
  collected: z.boolean().describe("whether all that is left of the price is taken"),
  from: instantValue.describe("when it can be"),
});

const roundModel = z.strictObject({ jobId: hashValue, round: count, model: hashValue, folder: folderValue });

/** What the commands of jobs print of federated ones. */
export const federatedOutputs = {
  submit: [ledRound, ledEnd, planned, federatedJobOutput],
  resume: [ledRound, ledEnd, collected],
  get: [ledEnd, roundModel],
  watch: [federatedJobOutput, ledRound],
} as const;

export const verifyOutput = z.strictObject({
  ledger: folderValue,
  name: z.string(),
  job: hashValue,
  rounds: count,
  uploads: count,
  authors: count.describe("accounts that signed"),
  model: hashValue.describe("digest of the newest model"),
  tip: hashValue.describe("hash of the last aggregation, which stands for all before it"),
});

const when = {
  location: hashValue.describe("root of the parcel that holds it; zero where it did not travel"),
  finishedAt: instantValue.describe("Unix seconds; 0 in a simulation"),
  seconds: secondsValue,
};

export const traceOutput = z.strictObject({
  name: z.string(),
  start: hashValue.describe("digest of the model that round 1 began with"),
  models: z
    .array(
      z.strictObject({
        model: hashValue,
        round: count,
        parent: hashValue.describe("the model that it was made from"),
        lead: addressValue.describe("who aggregated"),
        strategy: z.string(),
        ...when,
        parts: z.array(
          z.strictObject({
            provider: addressValue,
            update: hashValue,
            data: hashValue.describe("digest of what it was trained on"),
            weight: count.describe("in the mean"),
            accuracy: count.describe("of the model with it, millionths"),
            audit: z.enum(["none", ...replayFindings]),
            ...when,
          }),
        ),
      }),
    )
    .describe("from the model back to the first round"),
  dot: folderValue.optional(),
  svg: folderValue.optional(),
});
