import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openJournal } from "../../src/journal/journal.ts";
import { code, scratch } from "../support/parcel/parcels.ts";

const old = readFileSync(new URL("./fixtures/version-0.sql", import.meta.url), "utf8");
const [PROVIDED, REQUESTED, VALIDATED] = ["a1", "b2", "c3"].map((byte) => `0x${byte.repeat(32)}`) as [
  string,
  string,
  string,
];

test("a journal of before there were versions opens, and everything is found in it", async (t) => {
  const path = join(await scratch(t), "journal.db");
  const before = new DatabaseSync(path);
  before.exec(old);
  before.close();
  const journal = openJournal(path);
  t.after(() => journal.close());
  const states = journal.undertakings().map(({ role, key, finished }) => [role, key, finished]);
  assert.deepEqual(states, [
    ["provider", PROVIDED, "done"],
    ["requester", REQUESTED, undefined],
    ["validator", VALIDATED, undefined],
  ]);
  const provided = journal.open("provider", PROVIDED);
  assert.deepEqual(provided.outcome("run-produce"), {
    run: { exitCode: 0, log: "acc: 1", wallSeconds: 1.5 },
    metrics: { acc: 1 },
  });
  assert.deepEqual(
    provided.logged(0, 9).map(({ text }) => text),
    ["acc: 1", ""],
  );
  assert.deepEqual(
    provided.notes().map(({ text }) => text),
    ["ended Settled"],
  );
  const requested = journal.open("requester", REQUESTED);
  assert.deepEqual(requested.outcome("draft"), {
    mask: `0x${"22".repeat(32)}`,
    price: 10n ** 18n,
    salt: Uint8Array.of(1, 2, 3),
  });
  assert.deepEqual([requested.intent("post"), requested.outcome("post")], [{ kind: "post" }, undefined]);
  // What was finished before counts from the update: pruning does not fall on it at once.
  assert.ok(Date.now() - journal.find("provider", PROVIDED)!.finishedAt! < 60_000);
});

test("a journal of a newer version is refused and left as it is", async (t) => {
  const path = join(await scratch(t), "journal.db");
  openJournal(path).close();
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version = 1000");
  newer.close();
  const before = readFileSync(path);
  assert.throws(() => openJournal(path), code("STATE_TOO_NEW"));
  assert.deepEqual(readFileSync(path), before);
});
