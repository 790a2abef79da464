import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { Contract, ContractFactory, Signature } from "ethers";
import hre from "hardhat";
import type { Address } from "../../src/protocol/ids.ts";
import { type Actor, deployMarket, ETHER, join, type Market } from "../support/chain/escrow.ts";
import { type Gas, type Permit, runOptimistic, runValidated, total } from "../support/chain/steps.ts";

const SNAPSHOT = new URL("./gas.snapshot.json", import.meta.url);
const TOLERANCE = 0.02;

/** A job that is paid in a token, with its permit, when all parties and the escrow have held the token before. */
async function runInToken(market: Market, parties: readonly Actor[]): Promise<Gas> {
  const [requester] = parties;
  const { abi, bytecode } = await hre.artifacts.readArtifact("PermitToken");
  const factory = new ContractFactory([...abi], bytecode, requester!.signer);
  const deployed = await factory.deploy();
  await deployed.waitForDeployment();
  const address = (await deployed.getAddress()) as Address;
  const token = new Contract(address, [...abi], market.provider);
  await market.send(token, requester!, "mint", [requester!.address, ETHER]);
  const permit = async (value: bigint): Promise<Permit> => {
    const deadline = (await market.now()) + 600;
    const nonce: bigint = await token.getFunction("nonces")(requester!.address);
    const owner = requester!.address;
    const spender = await market.escrow.getAddress();
    const signed = await requester!.wallet.signTypedData(
      { name: "Dollar", version: "1", chainId: market.chainId, verifyingContract: address },
      {
        Permit: [
          "address owner",
          "address spender",
          "uint256 value",
          "uint256 nonce",
          "uint256 deadline",
        ].map((field) => ({ type: field.split(" ")[0]!, name: field.split(" ")[1]! })),
      },
      { owner, spender, value, nonce, deadline },
    );
    const { v, r, s } = Signature.from(signed);
    return { deadline, v, r, s };
  };
  const job = { change: { token: address }, permit };
  await runValidated(market, parties, job);
  return runValidated(market, parties, job);
}

describe("gas of a whole job, in steady state", () => {
  let market: Market;

  before(async () => {
    market = await deployMarket();
  });
  after(() => market.close());

  it("stays within 2 % of the snapshot and within the bounds", async () => {
    const parties = market.actors.slice(1, 4);
    for (const actor of parties) await join(market, actor, 10n * ETHER);
    await runValidated(market, parties);
    const validated = await runValidated(market, parties);
    const optimistic = await runOptimistic(market, parties);
    const exam = await runValidated(market, parties, { change: { mode: "exam" } });
    const token = await runInToken(market, parties);
    assert.ok(total(validated) <= 450_000, `validated: ${total(validated)}`);
    assert.ok(total(optimistic) <= 280_000, `optimistic: ${total(optimistic)}`);
    assert.ok(total(exam) <= 470_000, `exam: ${total(exam)}`);
    assert.ok(total(token) <= 520_000, `token: ${total(token)}`);

    const measured = { validated, optimistic, exam, token };
    if (process.env.UPDATE_SNAPSHOT === "1")
      await writeFile(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`);
    const wanted = JSON.parse(await readFile(SNAPSHOT, "utf8")) as typeof measured;
    for (const path of ["validated", "optimistic", "exam", "token"] as const) {
      assert.deepEqual(Object.keys(measured[path]), Object.keys(wanted[path]));
      for (const [call, gas] of Object.entries(wanted[path])) {
        const off = Math.abs((measured[path][call] ?? 0) - gas) / gas;
        assert.ok(off <= TOLERANCE, `${path} ${call}: ${measured[path][call]} instead of ${gas}`);
      }
    }
  });

  it("does not grow with offers, jobs and ratings", async () => {
    const parties = market.actors.slice(1, 4);
    const early = await runValidated(market, parties);
    for (const actor of market.actors.slice(4)) await join(market, actor, ETHER);
    for (let i = 0; i < 20; i++) await runValidated(market, parties);
    const late = await runValidated(market, parties);
    for (const [call, gas] of Object.entries(early)) {
      assert.ok(Math.abs((late[call] ?? 0) - gas) / gas <= 0.01, `${call}: ${gas} → ${late[call]}`);
    }
  });
});
