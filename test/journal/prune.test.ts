import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openJournal } from "../../src/journal/journal.ts";
import type { Keep } from "../../src/journal/prune.ts";
import type { Journal, Role } from "../../src/ports/journal.ts";
import { scratch } from "../support/parcel/parcels.ts";

const MIB = 1 << 20;
const DAY_MS = 86_400_000;
const forEver: Keep = { logDays: 3650, logBytes: 2 ** 40, recordDays: 36500 };

/** A job whose task printed a mebibyte in each of its two runs, as a provider's journal has it. */
async function chatty(journal: Journal, key: string, role: Role = "provider"): Promise<void> {
  const job = journal.open(role, key);
  for (const stage of ["produce", "evaluate"]) {
    for (let upto = MIB / 16; upto <= MIB; upto += MIB / 16)
      job.log({ stage, upto, text: "x".repeat(MIB / 16) });
    const outcome = { run: { exitCode: 0, log: "x".repeat(MIB) }, metrics: { acc: 1 } };
    await job.step(`run-${stage}`, { prepare: () => ({}), act: () => outcome });
  }
  job.log({ stage: "end", upto: 0, text: "" });
}

function age(path: string, key: string, days: number): void {
  const db = new DatabaseSync(path);
  db.prepare("UPDATE undertakings SET finished_at = ? WHERE key = ?").run(Date.now() - days * DAY_MS, key);
  db.close();
}

test("logs of finished jobs go by age, and give their space back; what was measured stays", async (t) => {
  const path = join(await scratch(t), "journal.db");
  const before = openJournal(path);
  for (const key of ["old", "new", "running"]) await chatty(before, key);
  for (const key of ["old", "new"]) before.open("provider", key).finish("done");
  before.close();
  const full = statSync(path).size;
  age(path, "old", 31);
  const journal = openJournal(path, { keep: { ...forEver, logDays: 30 } });
  const kept = (key: string) => journal.open("provider", key).logged(0, 999).length;
  assert.deepEqual(["old", "new", "running"].map(kept), [1, 33, 33]);
  const run = journal
    .open("provider", "old")
    .outcome<{ run: { log: string }; metrics: object }>("run-produce");
  assert.deepEqual(run?.metrics, { acc: 1 });
  assert.ok(run.run.log.length < 100);
  assert.equal(journal.find("provider", "old")?.finished, "done");
  journal.close();
  const freed = full - statSync(path).size;
  assert.ok(freed > 3.9 * MIB, `${freed} bytes came back`);
});

test("logs of finished jobs fit their budget, the newest staying", async (t) => {
  const path = join(await scratch(t), "journal.db");
  const before = openJournal(path);
  for (const [n, key] of ["first", "second", "third"].entries()) {
    await chatty(before, key);
    before.open("provider", key).finish("done");
    age(path, key, 9 - n);
  }
  before.close();
  const journal = openJournal(path, { keep: { ...forEver, logBytes: 9 * MIB } });
  t.after(() => journal.close());
  const kept = (key: string) => journal.open("provider", key).logged(0, 999).length;
  assert.deepEqual(["first", "second", "third"].map(kept), [1, 33, 33]);
});

test("old records go, but never what is unfinished or opens a paid result that was not opened yet", async (t) => {
  const path = join(await scratch(t), "journal.db");
  const before = openJournal(path);
  const drafted = { prepare: () => ({ mask: "0x01" }), act: (draft: object) => draft };
  for (const [role, key, end] of [
    ["provider", "served", "done"],
    ["provider", "running", undefined],
    ["requester", "refunded", "failed"],
    ["requester", "unopened", "done"],
    ["requester", "opened", "done"],
  ] as const) {
    const job = before.open(role, key);
    await job.step("draft", drafted);
    if (key === "opened") await job.step("got", drafted);
    if (end) job.finish(end);
    age(path, key, 366);
  }
  before.close();
  const journal = openJournal(path, { keep: { ...forEver, recordDays: 365 } });
  t.after(() => journal.close());
  const left = journal.undertakings().map(({ key }) => key);
  assert.deepEqual(left.toSorted(), ["running", "unopened"]);
  assert.deepEqual(journal.open("requester", "unopened").outcome("draft"), { mask: "0x01" });
  assert.equal(journal.open("provider", "served").outcome("draft"), undefined);
});

test("a journal of before there was pruning gives its space back as well", async (t) => {
  const path = join(await scratch(t), "journal.db");
  const old = new DatabaseSync(path);
  old.exec(
    readFileSync(new URL("./fixtures/version-0.sql", import.meta.url), "utf8").replaceAll(
      "INSERT",
      "-- INSERT",
    ),
  );
  old.close();
  const before = openJournal(path);
  await chatty(before, "old");
  before.open("provider", "old").finish("done");
  before.close();
  age(path, "old", 31);
  openJournal(path, { keep: { ...forEver, logDays: 30 } }).close();
  assert.ok(statSync(path).size < MIB / 4, `${statSync(path).size} bytes are left`);
});

test("an undertaking that is tried again for weeks keeps its newest notes", async (t) => {
  const journal = openJournal(join(await scratch(t), "journal.db"));
  t.after(() => journal.close());
  const job = journal.open("provider", "stubborn");
  for (let n = 0; n < 600; n++) job.note(`try ${n}`);
  const notes = job.notes();
  assert.deepEqual([notes.length, notes[0]?.text, notes.at(-1)?.text], [500, "try 100", "try 599"]);
});
