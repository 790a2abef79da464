import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  forgetRounds,
  leadDiskOf,
  requireLeadRoom,
} from "../../../../src/roles/federated/market/requester/disk.ts";
import { emptyRoundFiles, leadFiles } from "../../../../src/roles/federated/market/requester/files.ts";

test("of closed rounds the last models stay, and no state that a later round does not need", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "ichain-keep-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const files = leadFiles(dir);
  await emptyRoundFiles(files);
  for (let round = 1; round <= 5; round++) {
    const own = [files.model(round), files.state(round, 0), files.part(round), files.parcel(round)];
    for (const path of own) await writeFile(path, "");
  }
  const left = async (ending: string) =>
    (await readdir(files.rounds)).filter((name) => name.endsWith(ending)).sort();
  // Round 4 is closed: it made model 5.
  await forgetRounds(files, 4, "all");
  assert.equal((await left(".parcel")).length, 10);
  assert.deepEqual(await left(".vector"), [
    ...[1, 2, 3, 4, 5].map((of) => `model-${of}.vector`),
    "state-5-0.vector",
  ]);
  await forgetRounds(files, 4, 2);
  assert.deepEqual(await left(".vector"), ["model-4.vector", "model-5.vector", "state-5-0.vector"]);
  await forgetRounds(files, 4, 1);
  assert.deepEqual(await left(".vector"), ["model-5.vector", "state-5-0.vector"]);
  assert.equal((await left(".parcel")).length, 10);
});

test("what a job takes on the disk grows with the rounds whose models stay", async () => {
  const federated = { rounds: 100, providers: 4, keep: "all" as const };
  const of = (keep: "all" | number) => leadDiskOf({ federated: { ...federated, keep } as never }, 1000);
  assert.equal(of("all") - of(1), 99 * 8000);
  assert.equal(of(1000), of("all"));
  await assert.rejects(requireLeadRoom(tmpdir(), Number.MAX_SAFE_INTEGER), { code: "DISK_TOO_FULL" });
  await requireLeadRoom(tmpdir(), 1);
});
