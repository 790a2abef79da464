import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createMarket } from "../../../src/chain/market.ts";
import type { FederatedJob } from "../../../src/protocol/federated/market/job.ts";
import type { JobId } from "../../../src/protocol/ids.ts";
import { ended, startTestMarket } from "../../support/market/market.ts";
import { needs } from "../../support/require.ts";

const example = fileURLToPath(new URL("../../../examples/federated-digits/job.yaml", import.meta.url));

test("providers of a lead that falls silent are paid for the round", needs("docker", "root"), async (t) => {
  // The lead waits for the one that sends nothing, longer than this test needs.
  const bad = ["drop"] as const;
  const market = await startTestMarket(t, { providers: 4, validators: 0, transport: "direct", bad });
  const { rpcUrl, chainId, contracts } = market.network;
  const reader = createMarket({ rpcUrl, chainId, addresses: contracts, database: ":memory:", pollMs: 100 });
  t.after(() => reader.stop());
  const child = market.launch(["submit", example, "--yes"]);
  const over = ended(child);
  const sending = market.providers.slice(1);
  await Promise.all(sending.map(({ name }) => said(join(market.dir, `${name}.log`), "the update is sent")));
  child.kill("SIGKILL");
  await over;

  const [found] = await reader.federatedJobs({ requester: market.requester.account });
  const { id, terms } = found!;
  const before = await Promise.all(sending.map(({ account }) => market.chain.getBalance(account)));
  await market.evm.increaseTime(Math.ceil((2 * terms.roundWindow) / 3) + 1);
  await once(id, ({ members }) => members.filter(({ asserted }) => asserted === 1).length === 3);
  await market.evm.increaseTime(Math.ceil(terms.roundWindow / 3) + 1);
  const last = await once(id, ({ members }) => members.every(({ standing }) => standing === "released"));
  assert.equal(last.cause, "late");
  // They share the price of the round, which is more than all their gas; the other has none of it.
  for (const [i, { account }] of sending.entries()) {
    while ((await reader.owedFederated(account, terms.token)) > 0n) await pause(50);
    const gained = (await market.chain.getBalance(account)) - before[i]!;
    assert.ok(gained > 0n && gained < terms.roundPrice / 3n, `${gained}`);
  }
  assert.equal(await reader.owedFederated(market.providers[0]!.account, terms.token), 0n);

  async function once(job: JobId, wanted: (one: FederatedJob) => boolean): Promise<FederatedJob> {
    for await (const one of reader.followFederated(job)) if (wanted(one)) return one;
    return assert.fail("the job is never so");
  }
});

/** Resolves once the file has the text. */
async function said(file: string, text: string): Promise<void> {
  while (!(await readFile(file, "utf8").catch(() => "")).includes(text)) await pause(50);
}
