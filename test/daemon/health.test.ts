import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { examineHealth } from "../../src/daemon/health.ts";
import type { JobRole } from "../../src/ports/journal.ts";
import type { RoleContext } from "../../src/roles/context.ts";
import { openDiskBudget } from "../../src/roles/task/kept/disk-budget.ts";
import { scratch } from "../support/parcel/parcels.ts";

const ACCOUNT = `0x${"11".repeat(20)}` as const;
const { signal } = new AbortController();
const now = () => Math.floor(Date.now() / 1000);

/** What of a daemon's parts is not in order; `parts` change what the chain, the engine and tor say. */
async function lacking(
  t: TestContext,
  parts: { chain?: object; engine?: () => Promise<void>; isUp?: () => boolean },
  { roles = ["provider"], limit }: { roles?: JobRole[]; limit?: number } = {},
) {
  const home = await scratch(t);
  await writeFile(join(home, "data"), Buffer.alloc(2 ** 20, 1));
  const chain = {
    balance: async () => 10n ** 18n,
    ownership: async () => ({ owner: ACCOUNT, payee: ACCOUNT, offeredTo: undefined }),
    gasPrice: async () => 1n,
    now: async () => now(),
    ...parts.chain,
  };
  const role = {
    account: ACCOUNT,
    market: chain,
    transport: { isUp: parts.isUp },
    ...(parts.engine && { sandbox: { ping: parts.engine } }),
  } as unknown as RoleContext;
  const disk = limit === undefined ? undefined : openDiskBudget({ home, jobsDir: home, limit });
  const health = await examineHealth(role, { roles, home, disk, development: false }, { signal });
  return {
    names: health.map(({ name }) => name),
    lacking: health.filter(({ ok }) => !ok).map(({ name }) => name),
  };
}

const silent = () => Promise.reject(new Error("no answer"));

test("a daemon is examined in all that it leans on, and in nothing else", async (t) => {
  const whole = await lacking(t, { engine: async () => undefined, isUp: () => true });
  assert.deepEqual(whole, { names: ["chain", "funds", "clock", "disk", "engine", "tor"], lacking: [] });
  assert.deepEqual((await lacking(t, {})).names, ["chain", "funds", "clock", "disk"]);
  // A requester's sandbox is of use where it evaluates a result, which may never come.
  const requester = await lacking(t, { engine: silent }, { roles: ["requester"] });
  assert.deepEqual([requester.names.includes("engine"), requester.lacking], [false, []]);
});

test("each part that is not in order is named", async (t) => {
  const of = async (...given: Parameters<typeof lacking> extends [unknown, ...infer Rest] ? Rest : never) =>
    (await lacking(t, ...given)).lacking;
  assert.deepEqual(await of({ chain: { gasPrice: silent } }), ["chain"]);
  assert.deepEqual(await of({ chain: { balance: async () => 0n } }), ["funds"]);
  assert.deepEqual(await of({ chain: { now: async () => now() - 600 } }), ["clock"]);
  assert.deepEqual(await of({ chain: { now: async () => now() + 600 } }), ["clock"]);
  assert.deepEqual(await of({ engine: silent }), ["engine"]);
  assert.deepEqual(await of({ isUp: () => false }), ["tor"]);
  assert.deepEqual(await of({}, { limit: 2 ** 19 }), ["disk"]);
  assert.deepEqual(await of({}, { limit: 2 ** 30 }), []);
});
