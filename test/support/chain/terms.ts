import { randomBytes } from "node:crypto";
import { toHex } from "../../../src/protocol/bytes.ts";
import { type Address, type Hex, ZERO_ADDRESS } from "../../../src/protocol/ids.ts";
import type { Terms } from "../../../src/protocol/job/terms.ts";
import { someSecretHash } from "./secrets.ts";

export function random32(): Hex {
  return toHex(randomBytes(32));
}

/** Terms that work as they are: the price 1000 wei, generous windows, one validator. */
export function someTerms(requester: Address, provider: Address, overrides: Partial<Terms> = {}): Terms {
  return {
    requester,
    provider,
    token: ZERO_ADDRESS,
    price: 1000n,
    validatorFee: 100n,
    providerStake: 10n ** 16n,
    validatorStake: 10n ** 15n,
    validators: 1,
    mode: "evaluate",
    tolerance: 5_000_000n,
    threshold: 900_000_000n,
    effort: 2_500,
    stop: { floor: 1_000, cap: 9_000 },
    acceptBy: Math.floor(Date.now() / 1000) + 3600,
    windows: { run: 3600, appoint: 600, commit: 600, reveal: 600, claim: 600, challenge: 600, appeal: 600 },
    specHash: random32(),
    bundleRoot: random32(),
    secretHash: someSecretHash,
    ...overrides,
  };
}
