import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "../../../../src/protocol/ids.ts";
import { dealAmong, silentOnes } from "../../../../src/roles/federated/market/requester/round/redeal.ts";

const NOTHING = `0x${"0".repeat(64)}`;
const accounts = [1, 2, 3].map((n) => `0x${String(n).repeat(40)}` as Address);

/** What closed rounds say; `-`: nothing arrived of the provider of the place. */
const lines = (rounds: readonly string[]) =>
  rounds.flatMap((round) =>
    accounts.map((provider, place) => ({ provider, upload: round[place] === "-" ? NOTHING : "0x1" })),
  );

test("a provider is left out for good once it was silent two rounds running", () => {
  for (const [rounds, out] of [
    [[], []],
    [["--+"], []],
    [["-++", "+-+", "-++"], []],
    [["-++", "-++"], [0]],
    [["-++", "-++", "+++"], [0]],
    [
      ["+--", "-+-", "-++"],
      [0, 2],
    ],
  ] as const)
    assert.deepEqual(silentOnes(accounts, lines(rounds)), out, rounds.join(" "));
});

test("its rows are dealt evenly among the others, always alike, and none is lost", () => {
  const parts = [[0, 1, 2], [3, 4, 5, 6, 7], [8], [9, 10]].map((rows) => Uint32Array.from(rows));
  const dealt = dealAmong(parts, [1], "0x7");
  assert.deepEqual(
    dealt.map((rows) => rows.length),
    [5, 0, 3, 3],
  );
  assert.deepEqual(
    dealt.flatMap((rows) => [...rows]).sort((a, b) => a - b),
    [...Array(11).keys()],
  );
  for (const [place, rows] of parts.entries())
    if (place !== 1) assert.deepEqual(dealt[place]!.subarray(0, rows.length), rows);
  assert.deepEqual(dealAmong(parts, [1], "0x7"), dealt);
  assert.deepEqual(
    dealAmong(parts, [1, 3], "0x7").map((rows) => rows.length),
    [7, 0, 4, 0],
  );
});
