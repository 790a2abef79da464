import { z } from "zod";
import { offerDetailsSchema } from "../../protocol/offer.ts";
import { specSchema } from "../../protocol/task/spec.ts";
import { addressValue, amountValue, bytesValue, secondsValue, tokenValue, windowsValue } from "./values.ts";

const count = z.number().int();
const rating = z.strictObject({
  count,
  sum: count.describe("of the scores, 1 to 5 each"),
  outcomes: z.strictObject({
    settled: count,
    late: count,
    rejected: count,
    released: count,
    abstained: count,
    hid: count,
    unmet: count,
  }),
});

const offer = z.strictObject({
  account: addressValue,
  provider: z.boolean(),
  validator: z.boolean(),
  priceFloor: amountValue.describe("least price of an hour of the run window"),
  feeFloor: amountValue.describe("least fee of a validation"),
  stake: amountValue,
  lockedStake: amountValue,
  pooled: z.boolean().describe("validators are drawn from the pool"),
  banned: z.boolean(),
  details: offerDetailsSchema.describe("the machine, as its owner describes it"),
  ratingAsProvider: rating,
  ratingAsValidator: rating,
  runTimes: z
    .strictObject({
      factor: z.number().describe("time that its runs took over the time that its score promised"),
      runs: count,
    })
    .optional()
    .describe("of this home's jobs whose task another provider ran too"),
  rating: z.number().optional().describe("mean score as a provider, 1 to 5"),
  standing: z
    .number()
    .describe("its record, against the median of the prices for an hour: -1 to 1, 0 without one"),
  requesters: count.describe("of its settled jobs, among the newest that count"),
});

export const providersOutput = z.strictObject({ providers: z.array(offer) });

const jobQuote = z.strictObject({
  provider: addressValue,
  standing: z.number().describe("of the provider, -1 to 1, 0 without a record: see submit --explain"),
  validators: z.array(addressValue),
  token: tokenValue,
  price: amountValue,
  validatorFee: amountValue,
  providerStake: amountValue.describe("wei"),
  locked: amountValue.describe("what posting the job locks"),
  gas: z.strictObject({
    units: count,
    price: amountValue.describe("wei a unit"),
    dataCost: amountValue.describe("wei for the data of the transactions, on chains that charge for it"),
    cost: amountValue.describe("wei, at most, data included"),
  }),
  validated: z.strictObject({
    streak: count.describe("validated jobs in a row by this provider for this account"),
    probability: z.number().describe("that this job is validated"),
  }),
  branches: z.array(
    z.strictObject({
      outcome: z.string().describe("stable name of the ending"),
      meaning: z.string(),
      loss: amountValue.describe(
        "at most; negative is a gain; in a token without the share of a stake, which is coin",
      ),
      seconds: secondsValue.describe("from posting, at most"),
    }),
  ),
  worstLoss: amountValue,
});

const federatedQuote = jobQuote
  .pick({ token: true, locked: true, gas: true, branches: true, worstLoss: true })
  .extend({
    federated: z.literal(true),
    rounds: count,
    places: count.describe("for providers"),
    least: count.describe("providers that it begins with"),
    roundPrice: amountValue,
    roundShared: amountValue.describe(
      "most that the providers share of it; the rest comes back, or is the validator's that made the model",
    ),
    validators: z
      .number()
      .describe("that are drawn to aggregate, measure and close the rounds; 0: the requester does"),
    fees: amountValue.describe("what they are paid in all rounds together"),
    roundWindow: secondsValue,
    deposit: amountValue.describe("wei that each provider locks"),
    disk: bytesValue.describe("that models and updates take on this machine at most"),
    providerGas: z.strictObject({ units: count, cost: amountValue.describe("wei") }),
    weaker: z
      .array(z.string())
      .optional()
      .describe("what is given up where providers have data of their own"),
    invited: z.array(z.strictObject({ account: addressValue, name: z.string() })),
    unfit: z.array(z.strictObject({ account: addressValue, why: z.string() })),
  });

export const pricesOutput = z.strictObject({
  tier: z.string(),
  gpu: z.string().optional().describe("model; absent for machines without"),
  offers: count,
  p10: amountValue.describe("wei an hour"),
  median: amountValue.describe("wei an hour"),
  p90: amountValue.describe("wei an hour"),
});

export const quoteOutput = z.union([
  jobQuote,
  federatedQuote,
  z.strictObject({ prices: z.array(pricesOutput) }).describe("with --market"),
]);

/** `submit --dry-run`. */
export const dryRunOutput = jobQuote.omit({ branches: true, worstLoss: true }).extend({
  dryRun: z.literal(true),
  account: addressValue,
  providerStake: amountValue,
  validatorStake: amountValue,
  balance: amountValue.describe("of the account"),
  windows: windowsValue.extend({ accept: secondsValue }),
  spec: specSchema.describe("what provider and validators would be given (docs/protocol.md)"),
});
