import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { gas } from "../../scripts/sim/assumptions.ts";
import { moneyOf, PANEL, type Terms } from "../../scripts/sim/rules.ts";
import { Course, type Held, type Script } from "../support/chain/endings.ts";
import { COIN, deployMarket, ETHER, join, type Market } from "../support/chain/escrow.ts";

/** Odd amounts, so that no two sums look alike and every rounding shows. */
const sums = (validators: number): Terms => ({
  ...{ price: 1_000_003n, validatorFee: 1_009n, validators },
  ...{ providerStake: 500_009n, validatorStake: 20_011n, effort: 3_333 },
});

const first = (...seats: Held["seats"]): Held => ({ round: "first", seats });
const drawn = (...seats: Held["seats"]): Held => ({ round: "first", seats, oneSided: true });
const challenge = (...seats: Held["seats"]): Held => ({ round: "challenge", seats });
const appeal = (...seats: Held["seats"]): Held => ({ round: "appeal", seats });
const ended = (state: Script["state"], ...rounds: Held[]): Script => {
  const [opening] = rounds;
  return { state, validators: opening?.round === "first" ? opening.seats.length : 0, rounds };
};

const scripts: Readonly<Record<string, Script>> = {
  "is cancelled": { ...ended("cancelled"), validators: 2 },
  "is given back": { ...ended("released"), validators: 2 },
  "is stopped": { ...ended("stopped"), validators: 2 },
  "misses its run": { ...ended("runMissed"), validators: 2 },
  "is never drawn for": { ...ended("claimMissed"), validators: 2 },
  "is optimistic and settled": ended("settled"),
  "is optimistic and never claimed": ended("claimMissed"),
  "is confirmed": ended("settled", first("pass")),
  "is confirmed by two of three": ended("settled", first("pass", "fail", "pass")),
  "is confirmed and never claimed": ended("claimMissed", first("pass", "pass")),
  "is confirmed though one hid": ended("settled", first("pass", "hid", "pass")),
  "is confirmed by whom the draw put in": ended("settled", { ...first("left"), refill: ["pass"] }),
  "is rejected": ended("rejected", first("fail", "pass", "fail")),
  "is rejected by drawn validators": ended("rejected", drawn("fail", "fail")),
  "is short of the threshold": ended("unmet", first("unmet")),
  "is short by two of three": ended("unmet", first("unmet", "pass", "unmet")),
  "is short and found so again": ended("unmet", first("unmet"), appeal("unmet", "unmet", "fail")),
  "is short and found good": ended(
    "settled",
    first("unmet", "unmet", "pass"),
    appeal("pass", "pass", "unmet"),
  ),
  "is short and found false": ended("rejected", first("unmet"), appeal("fail", "fail", "unmet")),
  "is called false and found short": ended(
    "unmet",
    first("fail", "pass", "fail"),
    appeal("unmet", "unmet", "pass"),
  ),
  "is challenged and found short": ended("unmet", challenge("unmet", "unmet", "pass")),
  "finds no verdict": ended("inconclusive", first("fail", "pass")),
  "finds no verdict because one hid": ended("inconclusive", first("hid")),
  "finds nobody who stays": ended("inconclusive", { ...first("left"), refill: ["left"] }),
  "hides its measurement": ended("hid", { ...first("unheard", "unheard"), hides: "measurement" }),
  "hides its seed while one has committed": ended("hid", { ...first("unheard", "left"), hides: "seed" }),
  "appeals and hides its seed": ended("hid", first("fail"), { ...appeal(), hides: "seed" }),
  "appeals and is right": ended("settled", first("fail", "pass", "fail"), appeal("pass", "pass", "fail")),
  "appeals and is wrong": ended("rejected", first("fail", "pass", "fail"), appeal("fail", "pass", "fail")),
  "appeals against drawn validators": ended("rejected", drawn("fail"), appeal("fail", "fail", "fail")),
  "appeals and nobody can tell": ended("inconclusive", first("fail"), appeal("fail", "pass", "hid")),
  "appeals the lack of a verdict": ended("settled", first("fail", "pass"), appeal("pass", "pass", "pass")),
  "appeals it and is wrong": ended("rejected", first("fail", "pass"), appeal("fail", "fail", "pass")),
  "appeals after one hid": ended("settled", first("hid"), appeal("pass", "pass", "hid")),
  "is drawn for and not challenged": ended("settled", drawn("pass", "pass")),
  "is drawn for and challenged for nothing": ended(
    "settled",
    drawn("pass"),
    challenge("pass", "pass", "fail"),
  ),
  "is drawn for and challenged rightly": ended("rejected", drawn("pass"), challenge("fail", "fail", "pass")),
  "is drawn for and challenged without verdict": ended(
    "settled",
    drawn("pass"),
    challenge("fail", "pass", "hid"),
  ),
  "is optimistic and challenged rightly": ended("rejected", challenge("fail", "fail", "fail")),
  "is optimistic and challenged for nothing": ended("settled", challenge("pass", "pass", "fail")),
  "is optimistic and challenged without verdict": ended("settled", challenge("fail", "hid", "pass")),
  "overturns a challenge": ended(
    "settled",
    challenge("fail", "fail", "pass"),
    appeal("pass", "pass", "fail"),
  ),
  "fails to overturn a challenge": ended(
    "rejected",
    challenge("fail", "fail", "pass"),
    appeal("fail", "pass", "fail"),
  ),
  "leaves a challenge open": ended(
    "inconclusive",
    challenge("fail", "fail", "pass"),
    appeal("fail", "pass", "hid"),
  ),
  "appeals alone and is challenged for nothing": ended(
    "settled",
    first("fail"),
    { ...appeal("pass", "pass", "fail"), oneSided: true },
    challenge("pass", "pass", "pass"),
  ),
  "appeals alone and is challenged rightly": ended(
    "rejected",
    first("fail"),
    { ...appeal("pass", "pass", "fail"), oneSided: true },
    challenge("fail", "fail", "pass"),
  ),
};

describe("the money of a job that", () => {
  let market: Market;
  const used = new Map<string, number[]>();
  before(async () => {
    market = await deployMarket(24);
    for (const actor of market.actors.slice(1)) await join(market, actor, ETHER, 32);
  });
  after(() => market.close());

  for (const [name, script] of Object.entries(scripts)) {
    it(`${name} is what the simulation takes it to be, to the wei`, async () => {
      const snapshot = await market.rpc("evm_snapshot");
      const terms = sums(script.validators);
      const before = await holdings(market);
      const course = new Course(market, market.actors);
      const { delta, burnt } = moneyOf(terms, await course.play(script, terms));
      const now = await holdings(market);
      const [requester, provider] = market.actors;
      const wanted = new Map<string, bigint>();
      for (const [who, amount] of delta) {
        const account = who === "requester" ? requester : who === "provider" ? provider : undefined;
        wanted.set(account?.address ?? who, amount);
      }
      for (const { address } of market.actors) {
        const gained = now.of.get(address)! - before.of.get(address)! - (course.sent.get(address) ?? 0n);
        assert.equal(
          gained,
          wanted.get(address) ?? 0n,
          address === requester!.address ? "requester" : address,
        );
      }
      assert.equal(now.burnt - before.burnt, burnt);
      for (const [call, each] of course.gas) used.set(call, [...(used.get(call) ?? []), each]);
      await market.rpc("evm_revert", snapshot);
      for (const { signer } of market.actors) signer.reset();
    });
  }

  it("costs about the gas that the simulation counts", () => {
    // Not the calls that end a job: here they write slots for the first time, which a market in use does not.
    for (const call of [
      "post",
      "accept",
      "submit",
      "commit",
      "reveal",
      "revealSeed",
      "challenge",
      "appeal",
    ] as const) {
      const all = used.get(call)!;
      const mean = all.reduce((sum, each) => sum + each, 0) / all.length;
      assert.ok(Math.abs(mean - gas[call]) < 0.3 * gas[call], `${call}: ${mean}`);
    }
  });

  it("takes the panel's size from the contract", async () => {
    assert.equal(await market.escrow.getFunction("PANEL")(), BigInt(PANEL));
  });
});

/** Stakes and what is owed of every account. */
async function holdings({ actors, escrow, registry }: Market) {
  const each = actors.map(async ({ address }): Promise<[string, bigint]> => {
    const { stake } = await registry.getFunction("offerOf")(address);
    return [address, stake + (await escrow.getFunction("owed")(address, COIN))];
  });
  const stakes = (await registry.getFunction("burnt")()) as bigint;
  // A lost challenge's deposit is owed to nobody.
  const deposits = (await escrow.getFunction("owed")(COIN, COIN)) as bigint;
  return { of: new Map(await Promise.all(each)), burnt: stakes + deposits };
}
