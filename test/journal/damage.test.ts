import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { openJournal } from "../../src/journal/journal.ts";
import { rebuildJournal } from "../../src/journal/rebuild.ts";
import { code, scratch } from "../support/parcel/parcels.ts";
import { requireRoot } from "../support/require.ts";

/** A journal of forty jobs; its path. */
async function filled(t: TestContext): Promise<string> {
  const path = join(await scratch(t), "journal.db");
  const journal = openJournal(path);
  for (let n = 0; n < 40; n++) {
    const job = journal.open("requester", `job-${n}`);
    await job.step("draft", { prepare: () => ({ mask: "ab".repeat(500) }), act: (draft) => draft });
  }
  journal.close();
  return path;
}

function overwrite(path: string, page: number): void {
  writeSync(openSync(path, "r+"), Buffer.alloc(4096, 0x5a), 0, 4096, (page - 1) * 4096);
}

function rootOf(path: string, table: string): number {
  const db = new DatabaseSync(path);
  const root = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table)?.rootpage;
  db.close();
  return Number(root);
}

const drafts = (path: string) => {
  const journal = openJournal(path);
  const whole = journal.undertakings().filter(({ key }) => journal.open("requester", key).outcome("draft"));
  journal.close();
  return whole.length;
};

for (const [what, damage, least] of [
  ["garbage from its first byte", (path: string) => writeFileSync(path, "no database ".repeat(9999)), 0],
  ["cut", (path: string) => truncateSync(path, 4096 * Math.floor(statSync(path).size / 8192)), 1],
  ["overwritten in the index alone", (path: string) => overwrite(path, rootOf(path, "unfinished")), 40],
] as const) {
  test(`a damaged journal is never replaced silently, and rebuilding keeps what can be read: ${what}`, async (t) => {
    const path = await filled(t);
    damage(path);
    assert.throws(() => openJournal(path, { check: true }), code("JOURNAL_DAMAGED"));
    assert.throws(() => openJournal(path, { check: true }), code("JOURNAL_DAMAGED"));
    const { journal, setAsideAs } = rebuildJournal(path);
    journal.close();
    assert.ok(statSync(setAsideAs!).size > 4096);
    assert.ok(drafts(path) >= least, `${drafts(path)} of 40 drafts`);
    const { journal: sound, setAsideAs: none } = rebuildJournal(path);
    sound.close();
    assert.equal(none, undefined);
    assert.equal(readdirSync(join(path, "..")).filter((name) => /damaged-[^.]*$/.test(name)).length, 1);
  });
}

test("a home that cannot be written is said to be so", async (t) => {
  if (!requireRoot(t)) return;
  const home = mkdtempSync(join(tmpdir(), "ichain-home-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", home]);
  t.after(() => {
    execFileSync("umount", [home]);
    rmdirSync(home);
  });
  openJournal(join(home, "journal.db")).close();
  execFileSync("mount", ["-o", "remount,ro", home]);
  assert.throws(() => openJournal(join(home, "journal.db")), code("HOME_UNWRITABLE"));
  assert.throws(() => openJournal(join(home, "new", "journal.db")), code("HOME_UNWRITABLE"));
});

test("a journal that another program holds is busy, which passes", async (t) => {
  const path = await filled(t);
  const holder = new DatabaseSync(path);
  holder.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  assert.throws(
    () => openJournal(path),
    (error: unknown) => code("STATE_BUSY")(error) && (error as { retryable: boolean }).retryable,
  );
  holder.close();
  openJournal(path).close();
});
