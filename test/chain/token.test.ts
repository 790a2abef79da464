import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AbiCoder, toBeHex } from "ethers";
import type { ErrorCode } from "../../src/errors/catalogue.ts";
import { isIchainError } from "../../src/errors/error.ts";
import type { Market } from "../../src/ports/market.ts";
import type { Address, Hex } from "../../src/protocol/ids.ts";
import { shortId } from "../../src/protocol/ids.ts";
import { send, someOffer, startChain, type TestChain } from "../support/chain/chain.ts";
import { requesterTip } from "../support/chain/secrets.ts";
import { someTerms } from "../support/chain/terms.ts";
import { deployScripted, deployToken } from "../support/chain/token.ts";

const text = (value: string): Hex => AbiCoder.defaultAbiCoder().encode(["string"], [value]) as Hex;
const word = (value: bigint): Hex => toBeHex(value, 32) as Hex;
const fails = (work: Promise<unknown>, code: ErrorCode) =>
  assert.rejects(work, (error) => isIchainError(error, code));

describe("a job that is paid in an ERC-20", () => {
  let chain: TestChain;
  let owner: Address;
  let provider: Address;
  let requester: Market;
  before(async () => {
    chain = await startChain();
    owner = chain.node.accounts[9]!.address;
    provider = chain.node.accounts[2]!.address;
    requester = chain.market(1);
  });
  after(() => chain.stop());

  const deployFor = async (name: "PlainToken" | "PermitToken") => {
    const token = await deployToken(chain.node.rpcUrl, owner, name);
    await token.transfer(requester.account, 5_000n);
    return token;
  };
  const posting = async (token: Address) => {
    const acceptBy = (await requester.now()) + 3600;
    const terms = someTerms(requester.account, provider, { token, acceptBy });
    return { kind: "post" as const, terms, seedTip: requesterTip, sealed: "0x" as const };
  };

  test("is posted once the escrow may take the sum, and pays it back in full", async () => {
    const token = await deployFor("PlainToken");
    const call = await posting(token.address);
    await fails(requester.prepare(call), "ERC20_INSUFFICIENT_ALLOWANCE");
    await send(requester, { kind: "approve", token: token.address, amount: 1_100n });
    const funds = await requester.tokenFunds(requester.account, token.address);
    assert.deepEqual(funds, { balance: 5_000n, allowance: 1_100n });
    const before = await requester.balance(requester.account);
    const { fee } = await send(requester, call);
    assert.equal(await requester.balance(requester.account), before - fee, "no coin goes along");
    assert.equal(await token.balance(requester.account), 3_900n);

    const job = await requester.job(requester.jobIdOf(call.terms));
    await send(requester, { kind: "cancel", job });
    assert.equal(await requester.owed(requester.account, token.address), 1_100n);
    await send(requester, { kind: "withdraw", token: token.address });
    assert.equal(await token.balance(requester.account), 5_000n);
  });

  test("is posted by a permit in one transaction, and by none that expired or is for another amount", async () => {
    const token = await deployFor("PermitToken");
    const call = await posting(token.address);
    const now = await requester.now();
    const permit = (amount: bigint, deadline: number) =>
      requester.signPermit({ token: token.address, amount, deadline });
    await fails(requester.prepare({ ...call, permit: await permit(1_100n, now - 10) }), "PERMIT_EXPIRED");
    await fails(requester.prepare({ ...call, permit: await permit(1_099n, now + 600) }), "PERMIT_REFUSED");
    assert.equal(await token.balance(requester.account), 5_000n, "nothing is lost");
    await send(requester, { ...call, permit: await permit(1_100n, now + 600) });
    assert.equal(await token.balance(chain.addresses.escrow), 1_100n);
  });

  test("has no permit in a token without any, or in one that names another token's domain", async () => {
    const plain = await deployFor("PlainToken");
    const real = await deployFor("PermitToken");
    const permit = (token: Address) => requester.signPermit({ token, amount: 1n, deadline: 2_000_000_000 });
    assert.equal(await permit(plain.address), undefined);
    const impostor = await deployScripted(chain.node.rpcUrl, owner, {
      "nonces(address)": word(0n),
      "name()": text("Dollar"),
      "DOMAIN_SEPARATOR()": await real.domain(),
    });
    assert.equal(await permit(impostor.address), undefined);
    assert.notEqual(await permit(real.address), undefined);
  });

  test("says in one sentence that a token does not pay a frozen account, while others get theirs", async () => {
    const token = await deployFor("PermitToken");
    await send(requester, { kind: "approve", token: token.address, amount: 4_400n });
    const [first, second, third] = [
      await posting(token.address),
      await posting(token.address),
      await posting(token.address),
    ];
    await send(requester, first);
    await send(requester, second);
    const job = await requester.job(requester.jobIdOf(first.terms));
    await send(requester, { kind: "cancel", job });
    await token.freeze(requester.account);
    await fails(requester.prepare({ kind: "withdraw", token: token.address }), "TOKEN_WITHHELD");
    await fails(requester.prepare(third), "TOKEN_REFUSED");
    assert.equal(await requester.owed(requester.account, token.address), 1_100n, "it stays owed");

    // Stopped at once, the second job owes its provider the least share, and the frozen requester the rest.
    const other = await requester.job(requester.jobIdOf(second.terms));
    const market = chain.market(2);
    await send(market, { kind: "publish", offer: someOffer() });
    await send(market, { kind: "deposit", amount: 10n ** 18n });
    await send(market, { kind: "accept", job: other });
    await send(requester, { kind: "stop", job: await requester.job(other.id) });
    await send(market, { kind: "withdraw", token: token.address });
    assert.ok((await token.balance(provider)) >= 100n);
    assert.equal(await market.owed(provider, token.address), 0n);
  });
});

describe("a token that a stranger wrote", () => {
  let chain: TestChain;
  let market: Market;
  before(async () => {
    chain = await startChain();
    market = chain.market(undefined);
  });
  after(() => chain.stop());
  const scripted = (answers: Readonly<Record<string, Hex>>) =>
    deployScripted(chain.node.rpcUrl, chain.node.accounts[9]!.address, answers);
  const symbolOf = async (answer: Hex | undefined) => {
    const { address } = await scripted({ "decimals()": word(6n), ...(answer && { "symbol()": answer }) });
    return market.token(address);
  };

  test("has a symbol that is safe to print, short, and of plain letters", async () => {
    assert.equal((await symbolOf(text("\u001b[2J\u202eUSDC"))).symbol, "??2J?USDC");
    assert.equal((await symbolOf(text("x".repeat(300)))).symbol, "x".repeat(12));
    const old: Hex = `0x${Buffer.from("MKR").toString("hex").padEnd(64, "0")}`;
    assert.equal((await symbolOf(old)).symbol, "MKR");
  });

  test("is named by its address when its symbol is missing, empty, malformed or too long", async () => {
    const large: Hex = `0x${"41".repeat(2_048)}`;
    const lookalike = text("\uff35\uff33\uff24\u0421");
    for (const answer of [undefined, text(""), lookalike, `0x${"ff".repeat(96)}` as Hex, large]) {
      const { address, symbol } = await symbolOf(answer);
      assert.equal(symbol, shortId(address));
    }
  });

  test("is refused without bounded decimals, and where there is no contract", async () => {
    for (const decimals of [undefined, word(37n), word(2n ** 256n - 1n), "0x06" as Hex]) {
      const answers = { "symbol()": text("X"), ...(decimals && { "decimals()": decimals }) };
      await fails(market.token((await scripted(answers)).address), "TOKEN_UNUSABLE");
    }
    await fails(market.token(`0x${"7".repeat(40)}`), "TOKEN_UNUSABLE");
  });

  test("cannot change its decimals while a program runs", async () => {
    const { address, answer } = await scripted({ "symbol()": text("X"), "decimals()": word(6n) });
    assert.equal((await market.token(address)).decimals, 6);
    await answer("decimals()", word(18n));
    assert.equal((await market.token(address)).decimals, 6);
    assert.equal((await chain.market(undefined).token(address)).decimals, 18);
  });
});
