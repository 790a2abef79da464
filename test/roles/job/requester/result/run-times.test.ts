import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openJournal } from "../../../../../src/journal/journal.ts";
import type { JobId } from "../../../../../src/protocol/ids.ts";
import { type Draft, recordDraft } from "../../../../../src/roles/job/requester/posting/draft.ts";
import { timedRuns } from "../../../../../src/roles/job/requester/result/run-times.ts";
import { jobFolder } from "../../../../../src/roles/shared/job-folder.ts";
import { scratch } from "../../../../support/parcel/parcels.ts";

const word = (digit: string): JobId => `0x${digit.repeat(64)}`;
const benchmark = { version: 1 as const, cpu: 20, disk: 300, at: 1 };
const usage = { exitCode: 0, wallSeconds: 12.5, cpuSeconds: 12, peakMemoryBytes: 1, gpuSeconds: 0 };
const report = {
  ...{ version: 1, image: "i", tier: "runc", metrics: {}, run: usage },
  measurement: { digest: word("0"), score: "1", salt: word("0") },
};

test("the times of a home's jobs are those of opened reports, with the score that the offer had", async (t) => {
  const dir = await scratch(t);
  const journal = openJournal(join(dir, "journal.db"));
  t.after(() => journal.close());
  const account = `0x${"2".repeat(40)}` as const;
  const add = async (digit: string, change: Partial<Draft>, written?: object) => {
    const id = word(digit);
    const draft = {
      ...{ provider: { account }, benchmark, terms: { specHash: word("5") } },
      ...{ spec: { resources: { gpus: 0 } }, ...change },
    };
    await recordDraft(journal.open("requester", id), draft as unknown as Draft);
    if (written === undefined) return;
    const { reportFiles } = jobFolder(dir, "requester", id);
    await mkdir(reportFiles, { recursive: true });
    await writeFile(join(reportFiles, "report.json"), JSON.stringify({ ...report, jobId: id, ...written }));
  };
  await add("a", {}, {});
  await add("b", { benchmark: undefined }, {}); // its provider had no score
  await add("c", {}); // no report was opened
  await add("d", {}, { run: "fast" }); // malformed
  await add("e", {}, { failure: { run: "0", kind: "exit", exitCode: 1 } });
  journal.open("requester", word("f")); // never drafted
  assert.deepEqual(await timedRuns(journal, dir), [
    { provider: account, task: word("5"), wallSeconds: 12.5, gpus: 0, benchmark },
  ]);
});
