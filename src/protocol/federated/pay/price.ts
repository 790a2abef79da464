/** What a price may depend on. */
export interface Workload {
  /** Of the training data. */
  readonly bytes: number;
  /** Of the model. */
  readonly parameters: number;
  /** That are trained on in a round, by all providers together. */
  readonly rows: number;
  readonly epochs: number;
  readonly rounds: number;
}

interface PriceRule {
  /** One line for the reference. */
  readonly summary: string;
  /** In the token's smallest unit (10^-18), rounded up. */
  price(work: Workload): bigint;
}

const TOKEN = 10n ** 18n;
const BYTES = 10n ** 7n;
/** Operations for one token: hours of a processor's core, or some ten seconds of a large GPU. */
const OPERATIONS = 10n ** 15n;

export const priceRuleNames = ["size", "complexity"] as const;

/** HKU's prices, by name: `size` is its paper's, `complexity` what it says should follow. */
export const priceRules: Readonly<Record<(typeof priceRuleNames)[number], PriceRule>> = {
  size: {
    summary: "one token for 10 MB of data",
    price: ({ bytes }) => priceOf(BigInt(bytes), BYTES),
  },
  complexity: {
    summary: "size, and one token for 10^15 operations of training",
    price: (work) => priceRules.size.price(work) + priceOf(operationsOf(work), OPERATIONS),
  },
};

/** 6 for each parameter and row that is trained on: 2 forward, 4 backward (Kaplan et al. 2020). */
function operationsOf({ parameters, rows, epochs, rounds }: Workload): bigint {
  return 6n * BigInt(parameters) * BigInt(rows) * BigInt(epochs) * BigInt(rounds);
}

function priceOf(amount: bigint, perToken: bigint): bigint {
  return (amount * TOKEN + perToken - 1n) / perToken;
}
