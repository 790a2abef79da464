import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { advance } from "../../../src/roles/job/requester/advance.ts";
import { jobFolder } from "../../../src/roles/shared/job-folder.ts";
import { newJob, reached, startParties, startProviding } from "../../support/market/parties.ts";

const waits = { signal: AbortSignal.timeout(120_000) };

test("a provider whose engine is gone after it accepted gives the job back before its window ends", async (context) => {
  const { t, chain, requester, provider } = await startParties(context);
  const { stop } = startProviding(t, provider);
  const id = await newJob(requester, provider, { posted: false });
  const { terms } = await advance(requester, id, { stopAt: ["Accepted"] }, waits);
  const before = (await requester.market.offer(provider.account))!;
  assert.equal(before.lockedStake, terms.providerStake);
  await provider.tells(({ kind, text }) => kind === "warn" && text.includes("Trying again"));
  await chain.node.increaseTime(terms.windows.run - 60);
  const job = await reached(requester, id, "Refunded");
  assert.equal(job.cause, "released");
  const after = (await requester.market.offer(provider.account))!;
  assert.deepEqual([after.stake, after.lockedStake], [before.stake, 0n]);
  await provider.tells(({ kind, text }) => kind === "info" && text.includes("given back"));
  await stop();
  assert.equal(existsSync(jobFolder(provider.jobsDir, "provider", id).dir), false);
});
