import type { Address } from "../../src/protocol/ids.ts";
import { requesterGas } from "../../src/protocol/policy/quote.ts";
import {
  leastGas,
  type PastJob,
  recordOf,
  STANDING_UNIT,
  standingOf,
  weighedPrice,
} from "../../src/protocol/record.ts";

/** Price of every job, wei: an hour at the policy's default. */

const PRICE = 10n ** 16n;
const GWEI = 10n ** 9n;
/** Of a transfer, and of publishing a requester's keys: a certificate of 500 bytes, measured. */
const NEW_ACCOUNT = 21_000 + 400_000;

/** Jobs of the honest provider, each of another requester; more than `RECORD_JOBS` do not count. */
export const JOBS = [1, 5, 10, 25, 64];
/** Gwei that a unit of gas costs. */
export const PRICES = [0.001, 1, 20];

export interface Climb {
  readonly jobs: number;
  readonly gwei: number;
  /** Of the honest provider, -1 to 1. */
  readonly standing: number;
  /** What made-up jobs cost until their provider stands as high, in prices. */
  readonly cost: number;
  /** The discounts that it need not give to be asked first until its real jobs have earned the same, in prices. */
  readonly brings: number;
  /** How far one requester's made-up jobs get, however many: the most honest jobs that they outweigh. */
  readonly alone: number;
}

/** A provider that makes jobs up against one with `jobs` real ones, at equal prices. */
export function climb(jobs: number, gwei: number): Climb {
  const gasPrice = BigInt(Math.round(gwei * Number(GWEI)));
  const standing = (past: readonly PastJob[]) =>
    // A transaction offers twice what it pays.
    standingOf(recordOf(past, { requester: account(0), gasPrice: 2n * gasPrice }), PRICE);
  const real = (count: number) => standing(Array.from({ length: count }, (_, i) => settled(i + 1)));
  const own = (count: number) => standing(Array.from({ length: count }, () => settled(1)));
  const high = real(jobs);
  const weighed = (count: number) => Number(weighedPrice({ price: PRICE, standing: real(count) }));
  const first = weighed(jobs);
  const gas = leastGas.validated + leastGas.validator + requesterGas.rate + NEW_ACCOUNT;
  let brings = 0;
  for (let count = 0; count < jobs; count += 1) brings += 1 - first / weighed(count);
  let alone = 0;
  while (alone < jobs && own(64) >= real(alone + 1)) alone += 1;
  return {
    ...{ jobs, gwei, standing: Number(high) / Number(STANDING_UNIT), brings, alone },
    cost: (jobs * gas * Number(gasPrice)) / Number(PRICE),
  };
}

/** The table of docs/incentives.md. */
export function climbTable(): string {
  const row = ({ gwei, jobs, standing, cost, brings }: Climb) =>
    `| ${gwei} | ${jobs} | ${figure(standing)} | ${figure(cost)} | ${figure(brings)} | ${(cost / brings).toFixed(1)} |`;
  return [
    "| gwei | honest jobs | standing | made-up jobs cost, P | they bring, P | ratio |",
    "|---|---|---|---|---|---|",
    ...PRICES.flatMap((gwei) => JOBS.map((jobs) => row(climb(jobs, gwei)))),
  ].join("\n");
}

const figure = (value: number): string => (value < 10 ? value.toPrecision(2) : value.toFixed(0));

function settled(requester: number): PastJob {
  return { requester: account(requester), value: PRICE, validators: 1, ended: "settled", score: 5 };
}

function account(number: number): Address {
  return `0x${number.toString(16).padStart(40, "0")}`;
}
