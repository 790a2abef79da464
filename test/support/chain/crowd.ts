import { randomBytes } from "node:crypto";
import { type Contract, Wallet } from "ethers";
import { toHex } from "../../../src/protocol/bytes.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import { packTerms } from "../../../src/protocol/job/packed-terms.ts";
import { type Actor, type Market, POOL_STAKE, signKeys, strike } from "./escrow.ts";
import { requesterTip } from "./secrets.ts";

/** Makes chains full, fast: the node signs, and nothing is simulated first. */

const GAS = "0x4c4b40";
const RICH = "0x56bc75e2d63100000";

/** One more account with an offer for both roles, in the pool for draws. */
export async function addOffer(market: Market): Promise<void> {
  const wallet = new Wallet(toHex(randomBytes(32)));
  const account = wallet.address as Address;
  await market.rpc("hardhat_setBalance", account, RICH);
  await market.rpc("hardhat_impersonateAccount", account);
  const keys = { fingerprint: toHex(randomBytes(32)), onionKey: toHex(randomBytes(32)) };
  const draft = {
    ...{ provider: true, validator: true, priceFloor: 1n, feeFloor: 1n, ...keys },
    openpgpKey: toHex(randomBytes(32)),
    details: "0x7b7d",
  };
  const signature = await signKeys(market, wallet, account, keys);
  await push(market, market.registry, account, "publish", [draft, signature]);
  await push(market, market.registry, account, "deposit", [account], POOL_STAKE);
}

/** One more job that is final, and one more rating of its provider: posted, accepted, given back, rated. */
export async function addJob(market: Market, [requester, provider]: readonly Actor[]): Promise<void> {
  const from = requester!.address;
  const { terms } = await strike(market, requester!, provider!, { price: 1n, validators: 0 });
  const packed = packTerms(terms);
  await push(market, market.escrow, from, "post", [packed, requesterTip, "0x"], terms.price);
  await push(market, market.escrow, terms.provider, "accept", [packed]);
  await push(market, market.escrow, terms.provider, "release", [packed, "0x", "0x"]);
  await push(market, market.escrow, from, "rate", [packed, terms.provider, 4]);
}

async function push(
  market: Market,
  contract: Contract,
  from: Address,
  name: string,
  args: unknown[],
  value = 0n,
): Promise<void> {
  const data = contract.interface.encodeFunctionData(name, args);
  const to = await contract.getAddress();
  await market.rpc("eth_sendTransaction", { from, to, data, gas: GAS, value: `0x${value.toString(16)}` });
}
