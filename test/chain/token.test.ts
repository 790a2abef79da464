import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isIchainError } from "../../src/errors/error.ts";
import type { Market } from "../../src/ports/market.ts";
import { send, startChain, type TestChain } from "../support/chain/chain.ts";
import { requesterTip } from "../support/chain/secrets.ts";
import { someTerms } from "../support/chain/terms.ts";
import { deployToken } from "../support/chain/token.ts";

describe("a job that is paid in an ERC-20", () => {
  let chain: TestChain;
  let token: Awaited<ReturnType<typeof deployToken>>;
  let requester: Market;
  before(async () => {
    chain = await startChain();
    requester = chain.market(1);
    token = await deployToken(chain.node.rpcUrl, chain.node.accounts[9]!.address);
    await token.transfer(requester.account, 5_000n);
  });
  after(() => chain.stop());

  test("is posted once the escrow may take the sum, and pays it back in full", async () => {
    const terms = someTerms(requester.account, chain.node.accounts[2]!.address, { token: token.address });
    await assert.rejects(
      requester.prepare({ kind: "post", terms, seedTip: requesterTip, sealed: "0x" }),
      (error) => isIchainError(error, "ERC20_INSUFFICIENT_ALLOWANCE"),
    );
    await send(requester, { kind: "approve", token: token.address, amount: 1_100n });
    const before = await requester.balance(requester.account);
    const { fee } = await send(requester, { kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
    assert.equal(await requester.balance(requester.account), before - fee, "no coin goes along");
    assert.equal(await token.balance(requester.account), 3_900n);

    const job = await requester.job(requester.jobIdOf(terms));
    await send(requester, { kind: "cancel", job });
    assert.equal(await requester.owed(requester.account, token.address), 1_100n);
    await send(requester, { kind: "withdraw", token: token.address });
    assert.equal(await token.balance(requester.account), 5_000n);
  });
});
