import type { Hex } from "../../../src/protocol/ids.ts";
import { maskHash } from "../../../src/protocol/job/exchange.ts";
import { secretHash, seedOf, seedTip } from "../../../src/protocol/job/seeds.ts";

/** The requester's and provider's secrets in tests that play all parties: always the same. */
export const MASK: Hex = `0x${"0d".repeat(32)}`;
const REQUESTERS: Hex = `0x${"1e".repeat(32)}`;
const PROVIDERS: Hex = `0x${"2f".repeat(32)}`;

export const requesterTip = seedTip(REQUESTERS);
export const providerTip = seedTip(PROVIDERS);
export const someSecretHash = secretHash(maskHash(MASK), requesterTip);

/** What the requester shows for the n-th draw. */
export const opening = (draw: number) => ({ maskHash: maskHash(MASK), seed: seedOf(REQUESTERS, draw) });

/** What the provider shows for the n-th draw. */
export const providerSeed = (draw: number): Hex => seedOf(PROVIDERS, draw);
