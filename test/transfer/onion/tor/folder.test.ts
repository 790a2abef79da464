import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { claimTorFolder } from "../../../../src/transfer/onion/tor/folder.ts";
import { temporaryFolder } from "../../../support/parcel/blob.ts";

const times = <T>(n: number, make: (i: number) => T) => Array.from({ length: n }, (_, i) => make(i));
const folders = (base: string, n: number) => times(n, (i) => join(base, `host-${i}`));

test("concurrent claims get a folder each, and a released one is used again", async (t) => {
  const dir = await temporaryFolder(t);
  for (let round = 0; round < 100; round++) {
    const base = join(dir, String(round));
    const slots = await Promise.all(times(4, () => claimTorFolder(base, "host")));
    assert.deepEqual(slots.map((slot) => slot.dir).sort(), folders(base, 4));
    await Promise.all([slots[2]!.release(), slots[2]!.release()]);
    assert.equal((await claimTorFolder(base, "host")).dir, slots[2]!.dir);
  }
});

const ROUNDS = 6;
const SUCCESSORS = 4;

test("processes that claim the folders of killed ones at the same time get a folder each", async (t) => {
  const dir = await temporaryFolder(t);
  const children = new Set<ChildProcess>();
  t.after(() => {
    for (const child of children) child.kill("SIGKILL");
  });
  const start = async () => {
    const child = fork(new URL("../../../support/onion/folder-child.ts", import.meta.url), [dir]);
    children.add(child);
    await once(child, "message");
    return child;
  };
  const claim = async (child: ChildProcess) => {
    const answer = once(child, "message");
    child.send("claim");
    return (await answer)[0] as string;
  };
  const claimAtOnce = async (claimers: readonly ChildProcess[]) =>
    assert.deepEqual((await Promise.all(claimers.map(claim))).sort(), folders(dir, claimers.length));

  let owners = await Promise.all(times(SUCCESSORS, start));
  await claimAtOnce(owners);
  for (let round = 0; round < ROUNDS; round++) {
    const successors = await Promise.all(times(SUCCESSORS, start));
    const ends = owners.map((owner) => once(owner, "exit"));
    for (const owner of owners) owner.kill("SIGKILL");
    await Promise.all(ends);
    await claimAtOnce(successors);
    owners = successors;
  }
});
