import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { it } from "node:test";
import { listen, takeInHand } from "../../support/market/by-hand.ts";
import { examJob, MARKER, submitArgs } from "../../support/market/exam-job.ts";
import { startTestMarket } from "../../support/market/market.ts";
import { needs } from "../../support/require.ts";

it("a requester that swaps its exam after posting gets no measurement of it", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const [validator] = market.validators;
  await market.ichain([...submitArgs(await examJob(market, "labels"))]);
  const { id } = await market.state("Submitted");
  // Another exam, as well packed and signed as the first.
  const folder = join(market.dir, "swapped");
  await mkdir(folder);
  await writeFile(join(folder, "test.json"), JSON.stringify({ marker: MARKER, rows: [[1, 0]] }));
  const requester = await takeInHand(market.requester);
  const swapped = await requester.parcels.pack({
    root: folder,
    paths: ["test.json"],
    out: `${folder}.parcel`,
  });
  await requester[Symbol.asyncDispose]();
  const book = new DatabaseSync(join(market.requester.dir, "journal.db"));
  const where = "WHERE role = 'requester' AND key = ? AND name = 'draft'";
  const { intent } = book.prepare(`SELECT intent FROM steps ${where}`).get(id) as { intent: string };
  const draft = JSON.parse(intent) as { exam: object };
  Object.assign(draft.exam, { blob: swapped.blob, key: swapped.sessionKey });
  book.prepare(`UPDATE steps SET intent = ? ${where}`).run(JSON.stringify(draft), id);
  book.close();
  const { said } = listen(market, validator!.name);
  const resumed = market.launch(["resume", id]);
  t.after(() => resumed.kill());
  await said(/abstained, its requester does not serve its exam/);
  for await (const job of market.jobs()) {
    const [seat] = job.validations;
    if (!seat?.abstained) continue;
    assert.deepEqual([seat.validator, seat.commitment], [validator!.account, undefined]);
    break;
  }
});
