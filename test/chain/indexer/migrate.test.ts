import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { bindDatabase, openDatabase } from "../../../src/chain/database.ts";
import { openOutbox } from "../../../src/chain/send/outbox.ts";
import { code, scratch } from "../../support/parcel/parcels.ts";

const old = readFileSync(new URL("./fixtures/version-0.sql", import.meta.url), "utf8");

test("an index of before there were versions opens, and its transactions under way are found", async (t) => {
  const path = join(await scratch(t), "index.db");
  const before = new DatabaseSync(path);
  before.exec(old);
  before.close();
  const db = openDatabase(path);
  t.after(() => db.close());
  assert.equal(bindDatabase(db, "31337,0xgenesis,0xescrow"), false);
  const outbox = openOutbox(db, `0x${"ab".repeat(20)}`, 30_000);
  const root = `0x${"11".repeat(32)}` as const;
  assert.deepEqual(outbox.holder(7), { root, sent: true, live: true });
  assert.deepEqual(
    outbox.attempts(root).map(({ raw }) => raw),
    ["0x02aa", "0x02bb"],
  );
  for (const table of ["blocks", "logs", "jobs", "parties", "offers"])
    assert.equal(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n, 1, table);
});

test("an index of a newer version is refused", async (t) => {
  const path = join(await scratch(t), "index.db");
  const newer = openDatabase(path);
  newer.exec("PRAGMA user_version = 1000");
  newer.close();
  assert.throws(() => openDatabase(path), code("STATE_TOO_NEW"));
});

test("an index of before the market had federated jobs is read again, and transactions under way are kept", (t) => {
  const db = openDatabase(":memory:");
  t.after(() => db.close());
  bindDatabase(db, "31337,0xgenesis,0xescrow");
  const outbox = openOutbox(db, `0x${"ab".repeat(20)}`, 30_000);
  outbox.reserve(7, () => ({ hash: `0x${"11".repeat(32)}`, raw: "0x02aa" }));
  db.exec("INSERT INTO blocks (number, hash) VALUES (5, '0x05')");
  const kept = () =>
    ["blocks", "reservations", "attempts"].map(
      (table) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n,
    );
  assert.equal(bindDatabase(db, "31337,0xgenesis,0xescrow,0xfederated"), true);
  assert.deepEqual(kept(), [0, 1, 1]);
  assert.equal(bindDatabase(db, "31337,0xgenesis,0xescrow,0xfederated"), false);
  assert.equal(bindDatabase(db, "31337,0xgenesis,0xanother,0xfederated"), true);
  assert.deepEqual(kept(), [0, 0, 0]);
});
