import { z } from "zod";
import { offerDetailsSchema } from "../../protocol/offer.ts";
import { address, amount, seconds } from "./values.ts";

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
  }),
});

const offer = z.strictObject({
  account: address,
  provider: z.boolean(),
  validator: z.boolean(),
  priceFloor: amount.describe("least price of an hour of the run window"),
  feeFloor: amount.describe("least fee of a validation"),
  stake: amount,
  lockedStake: amount,
  pooled: z.boolean().describe("validators are drawn from the pool"),
  banned: z.boolean(),
  details: offerDetailsSchema.describe("the machine, as its owner describes it"),
  ratingAsProvider: rating,
  ratingAsValidator: rating,
  rating: z.number().optional().describe("mean score as a provider, 1 to 5"),
});

export const providers = z.strictObject({ providers: z.array(offer) });

export const quote = z.strictObject({
  provider: address,
  validators: z.array(address),
  price: amount,
  validatorFee: amount,
  locked: amount.describe("what posting the job locks"),
  gas: z.strictObject({
    units: count,
    price: amount.describe("wei a unit"),
    cost: amount.describe("wei, at most"),
  }),
  validated: z.strictObject({
    streak: count.describe("validated jobs in a row by this provider for this account"),
    probability: z.number().describe("that this job is validated"),
  }),
  branches: z.array(
    z.strictObject({
      outcome: z.string().describe("stable name of the ending"),
      meaning: z.string(),
      loss: amount.describe("at most; negative is a gain"),
      seconds: seconds.describe("from posting, at most"),
    }),
  ),
  worstLoss: amount,
});
