import assert from "node:assert/strict";
import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openJournal } from "../../../../../src/journal/journal.ts";
import type { JobId } from "../../../../../src/protocol/ids.ts";
import { recordRetrieval } from "../../../../../src/roles/job/requester/result/retrieval.ts";
import { tidy } from "../../../../../src/roles/job/requester/result/tidy.ts";
import { jobFolder } from "../../../../../src/roles/shared/job-folder.ts";
import { random32 } from "../../../../support/chain/terms.ts";
import { scratch } from "../../../../support/parcel/parcels.ts";

const keep = { logDays: 30, recordDays: 365, resultDays: 7 };
const DAY_MS = 86_400_000;

test("only files of finished jobs are removed, once `get` and `logs` need them no longer", async (t) => {
  const home = await scratch(t);
  const jobsDir = join(home, "jobs");
  const path = join(home, "journal.db");
  const journal = openJournal(path);
  t.after(() => journal.close());
  const db = new DatabaseSync(path);
  t.after(() => db.close());

  /** A job that was finished, and whose result was opened, so many days ago. */
  const job = async (end?: "done" | "failed", finished?: number, got?: number): Promise<JobId> => {
    const id = random32();
    const folder = jobFolder(jobsDir, "requester", id);
    await mkdir(folder.reportFiles, { recursive: true });
    for (const file of [
      folder.bundle,
      `${folder.bundle}.leaves`,
      folder.result,
      folder.report,
      join(folder.reportFiles, "log.txt"),
    ])
      writeFileSync(file, "x");
    const record = journal.open("requester", id);
    if (got !== undefined) {
      await recordRetrieval(record, "/out");
      db.prepare(
        "UPDATE steps SET outcome = json_set(outcome, '$.at', ?) WHERE key = ? AND name = 'got'",
      ).run(Date.now() - got * DAY_MS, id);
    }
    if (end) record.finish(end);
    if (finished !== undefined)
      db.prepare("UPDATE undertakings SET finished_at = ? WHERE key = ?").run(
        Date.now() - finished * DAY_MS,
        id,
      );
    return id;
  };
  /** Of a `submit` that was killed so many days ago, before or after it had drafted its job. */
  const killed = async (days: number, isDrafted: boolean): Promise<JobId> => {
    const id = await job();
    db.prepare("UPDATE undertakings SET opened_at = ? WHERE key = ?").run(Date.now() - days * DAY_MS, id);
    if (isDrafted)
      await journal.open("requester", id).step("draft", { prepare: () => ({}), act: (known) => known });
    return id;
  };
  const running = await job();
  const justKilled = await killed(0.5, false);
  const undrafted = await killed(2, false);
  const drafted = await killed(2, true);
  const unopened = await job("done", 400);
  const opened = await job("done", 1, 1);
  const openedLongAgo = await job("done", 8, 8);
  const over = await job("done", 31, 31);
  const failed = await job("failed", 1);
  const failedLongAgo = await job("failed", 8);
  const stranger = random32();
  await mkdir(jobFolder(jobsDir, "requester", stranger).dir);
  for (const [name, age] of [
    [".draft-new", 0],
    [".draft-old", 2],
    [".again-old", 2],
  ] as const) {
    await mkdir(join(jobsDir, name));
    const at = Date.now() / 1000 - age * 86_400;
    utimesSync(join(jobsDir, name), at, at);
  }

  await tidy({ journal, jobsDir }, keep);

  const left = (id: JobId) => {
    const { dir } = jobFolder(jobsDir, "requester", id);
    return existsSync(dir) ? readdirSync(dir).toSorted() : undefined;
  };
  const all = ["bundle.parcel", "bundle.parcel.leaves", "report", "report.parcel", "result.parcel"];
  assert.deepEqual(left(running), all);
  assert.deepEqual(left(justKilled), all);
  assert.deepEqual(left(drafted), all);
  assert.deepEqual([left(undrafted), journal.find("requester", undrafted)?.finished], [undefined, "failed"]);
  assert.deepEqual(left(unopened), ["report", "report.parcel", "result.parcel"]);
  assert.deepEqual(left(opened), ["report", "report.parcel", "result.parcel"]);
  assert.deepEqual(left(openedLongAgo), ["report"]);
  assert.equal(left(over), undefined);
  // One that its provider left can be posted again from its bundle, for as long as a result is kept.
  assert.deepEqual(left(failed), ["bundle.parcel", "report"]);
  assert.deepEqual(left(failedLongAgo), ["report"]);
  assert.deepEqual(left(stranger), []);
  assert.deepEqual(readdirSync(jobsDir).toSorted(), [".draft-new", "requester"]);
});
