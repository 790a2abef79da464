import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { abandonJob } from "../../../src/roles/job/provider/run-job.ts";
import { advance } from "../../../src/roles/job/requester/advance.ts";
import { cancel } from "../../../src/roles/job/requester/posting/cancel.ts";
import { jobFolder } from "../../../src/roles/shared/job-folder.ts";
import { acceptJob, fetches, newJob, startParties, startProviding } from "../../support/market/parties.ts";

const waits = { signal: AbortSignal.timeout(400_000) };
const toAccepted = { stopAt: ["Accepted" as const] };

test("a requester that posts a job, hosts nothing and cancels keeps no other job waiting", async (context) => {
  const { t, requester, provider } = await startParties(context);
  const { stop } = startProviding(t, provider);
  const bait = await newJob(requester, provider);
  await provider.tells(fetches);
  await cancel(requester, bait, waits);
  const honest = await newJob(requester, provider, { bytes: 2000, posted: false });
  assert.equal((await advance(requester, honest, toAccepted, waits)).state, "Accepted");
  await stop();
  assert.equal(provider.journal.find("provider", bait)?.finished, "failed");
  assert.equal(existsSync(jobFolder(provider.jobsDir, "provider", bait).dir), false);
});

test("a requester whose host falls silent keeps no other job waiting, and is served once it is back", async (context) => {
  const { t, requester, provider } = await startParties(context);
  const { stop } = startProviding(t, provider);
  const bait = await newJob(requester, provider);
  await provider.tells(fetches);
  const honest = await newJob(requester, provider, { bytes: 2000, posted: false });
  // The bait's fetch alone would last longer than this waits.
  const soon = { signal: AbortSignal.timeout(150_000) };
  assert.equal((await advance(requester, honest, toAccepted, soon)).state, "Accepted");
  assert.equal((await requester.market.job(bait)).state, "Posted");
  assert.equal(provider.journal.find("provider", bait)?.finished, undefined);
  // No engine runs the honest job here, which keeps its slot.
  await stop();
  startProviding(t, provider, { maxJobs: 2 });
  assert.equal((await advance(requester, bait, toAccepted, waits)).state, "Accepted");
});

test("a requester that cancels while a provider is away has it fetch nothing afterwards", async (context) => {
  const { t, requester, provider } = await startParties(context);
  const { stop } = startProviding(t, provider);
  const bait = await newJob(requester, provider);
  await provider.tells(fetches);
  await stop();
  await cancel(requester, bait, waits);
  let fetched = 0;
  provider.told.on("event", (event) => {
    if (fetches(event)) fetched += 1;
  });
  const again = startProviding(t, provider);
  const honest = await newJob(requester, provider, { bytes: 2000, posted: false });
  await advance(requester, honest, toAccepted, waits);
  await again.stop();
  assert.equal(fetched, 1, "the honest job's bundle alone");
  assert.equal(provider.journal.find("provider", bait)?.finished, "failed");
});

test("a requester that asks for more stake than is free has nothing fetched", async (context) => {
  const { t, requester, provider } = await startParties(context);
  // Drafted while the provider's five coins are free for either.
  const drafted = { file: { price: "3" }, posted: false };
  const first = await newJob(requester, provider, drafted);
  const second = await newJob(requester, provider, { bytes: 2000, ...drafted });
  const { stop } = startProviding(t, provider, { maxJobs: 2 });
  await advance(requester, first, toAccepted, waits);
  let fetched = 0;
  provider.told.on("event", (event) => {
    if (fetches(event)) fetched += 1;
  });
  await advance(requester, second, { stopAt: ["Posted"] }, waits);
  await provider.tells(({ kind, text }) => kind === "info" && text.includes("not accepted"));
  await stop();
  assert.equal(fetched, 0);
  assert.equal(existsSync(jobFolder(provider.jobsDir, "provider", second).dir), false);
});

test("a provider that gives a job up, or was killed while it did, keeps no file of it", async (context) => {
  const { t, requester, provider } = await startParties(context);
  const id = await newJob(requester, provider);
  await acceptJob(provider, id);
  const mine = jobFolder(provider.jobsDir, "provider", id).dir;
  const orphan = jobFolder(provider.jobsDir, "provider", `0x${"ab".repeat(32)}`).dir;
  for (const folder of [mine, orphan]) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "bundle.parcel.part"), "half");
  }
  await abandonJob(provider, id, waits);
  assert.equal((await requester.market.job(id)).state, "Refunded");
  assert.equal((await requester.market.offer(provider.account))?.lockedStake, 0n);
  assert.deepEqual([mine, orphan].map(existsSync), [false, true]);
  startProviding(t, provider);
  await newJob(requester, provider, { bytes: 2000 });
  await provider.tells(fetches);
  assert.equal(existsSync(orphan), false);
});
