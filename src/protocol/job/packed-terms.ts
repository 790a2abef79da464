import { IchainError } from "../../errors/error.ts";
import type { Address, Hex } from "../ids.ts";
import { modes } from "./state.ts";
import type { Terms } from "./terms.ts";

/** Terms as the contract takes them (`IJobEscrow.Terms`): rule and schedule are one word each. */
export interface PackedTerms {
  readonly requester: Address;
  readonly provider: Address;
  readonly token: Address;
  readonly price: bigint;
  readonly validatorFee: bigint;
  readonly providerStake: bigint;
  readonly validatorStake: bigint;
  readonly rule: bigint;
  readonly schedule: bigint;
  readonly specHash: Hex;
  readonly bundleRoot: Hex;
  readonly secretHash: Hex;
}

/** `contracts/libraries/Rule.sol`, lowest bits first. */
const RULE = {
  mode: 8,
  validators: 8,
  tolerance: 64,
  threshold: 64,
  effort: 16,
  stopFloor: 16,
  stopCap: 16,
} as const;
/** `contracts/libraries/Schedule.sol`, lowest bits first. */
const SCHEDULE = {
  acceptBy: 40,
  run: 24,
  appoint: 24,
  commit: 24,
  reveal: 24,
  claim: 24,
  challenge: 24,
  appeal: 24,
} as const;

/** Bits of amounts that have a word of their own. */
const AMOUNTS = { price: 128, validatorFee: 128, providerStake: 96, validatorStake: 96 } as const;

/**
 * Packs terms for the contract.
 * @throws TERMS_OUT_OF_RANGE for a value that its field on the chain cannot hold
 */
export function packTerms(terms: Terms): PackedTerms {
  const { windows } = terms;
  const rule = pack(RULE, {
    mode: BigInt(modes.indexOf(terms.mode)),
    validators: BigInt(terms.validators),
    tolerance: terms.tolerance,
    // Two's complement; -1n does not fit the field and is refused below.
    threshold:
      BigInt.asIntN(64, terms.threshold) === terms.threshold ? BigInt.asUintN(64, terms.threshold) : -1n,
    effort: BigInt(terms.effort),
    stopFloor: BigInt(terms.stop.floor),
    stopCap: BigInt(terms.stop.cap),
  });
  const schedule = pack(SCHEDULE, {
    acceptBy: BigInt(terms.acceptBy),
    run: BigInt(windows.run),
    appoint: BigInt(windows.appoint),
    commit: BigInt(windows.commit),
    reveal: BigInt(windows.reveal),
    claim: BigInt(windows.claim),
    challenge: BigInt(windows.challenge),
    appeal: BigInt(windows.appeal),
  });
  const { requester, provider, token, price, validatorFee, providerStake, validatorStake } = terms;
  const { specHash, bundleRoot, secretHash } = terms;
  for (const [field, bits] of Object.entries(AMOUNTS))
    refuseLarge(field, terms[field as keyof typeof AMOUNTS], bits);
  return {
    ...{ requester, provider, token, price, validatorFee, providerStake, validatorStake },
    ...{ rule, schedule, specHash, bundleRoot, secretHash },
  };
}

/** The inverse of `packTerms`; undefined when the rule names a mode that does not exist. */
export function unpackTerms(packed: PackedTerms): Terms | undefined {
  const rule = unpack(RULE, packed.rule);
  const schedule = unpack(SCHEDULE, packed.schedule);
  const mode = modes[Number(rule.mode)];
  if (mode === undefined) return undefined;
  const { requester, provider, token, price, validatorFee, providerStake, validatorStake } = packed;
  const { specHash, bundleRoot, secretHash } = packed;
  return {
    ...{ requester, provider, token, price, validatorFee, providerStake, validatorStake },
    ...{ mode, specHash, bundleRoot, secretHash },
    validators: Number(rule.validators),
    tolerance: rule.tolerance,
    threshold: BigInt.asIntN(64, rule.threshold),
    effort: Number(rule.effort),
    stop: { floor: Number(rule.stopFloor), cap: Number(rule.stopCap) },
    acceptBy: Number(schedule.acceptBy),
    windows: {
      run: Number(schedule.run),
      appoint: Number(schedule.appoint),
      commit: Number(schedule.commit),
      reveal: Number(schedule.reveal),
      claim: Number(schedule.claim),
      challenge: Number(schedule.challenge),
      appeal: Number(schedule.appeal),
    },
  };
}

type Layout = Readonly<Record<string, number>>;

function pack<L extends Layout>(layout: L, values: Record<keyof L, bigint>): bigint {
  let word = 0n;
  let shift = 0n;
  for (const [field, bits] of Object.entries(layout)) {
    const value = values[field as keyof L];
    refuseLarge(field, value, bits);
    word |= value << shift;
    shift += BigInt(bits);
  }
  return word;
}

function refuseLarge(field: string, value: bigint, bits: number): void {
  if (BigInt.asUintN(bits, value) === value) return;
  throw new IchainError(
    "TERMS_OUT_OF_RANGE",
    `The terms' ${field} does not fit its ${bits} bits on the chain.`,
    {
      details: { field, bits },
    },
  );
}

function unpack<L extends Layout>(layout: L, word: bigint): Record<keyof L, bigint> {
  const values = {} as Record<keyof L, bigint>;
  let rest = word;
  for (const [field, bits] of Object.entries(layout)) {
    values[field as keyof L] = BigInt.asUintN(bits, rest);
    rest >>= BigInt(bits);
  }
  return values;
}
