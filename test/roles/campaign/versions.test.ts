import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { keccak256 } from "ethers";
import type { Market } from "../../../src/ports/market.ts";
import { COIN } from "../../../src/protocol/amounts.ts";
import { campaignFileSchema } from "../../../src/protocol/campaign/file.ts";
import { type Training, versionsOf } from "../../../src/protocol/campaign/versions.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import type { JobFile } from "../../../src/protocol/task/spec.ts";
import { addRows } from "../../../src/roles/campaign/market/add.ts";
import { hostRows } from "../../../src/roles/campaign/market/host.ts";
import { openCampaign, planOpening } from "../../../src/roles/campaign/market/open.ts";
import { settleCampaign } from "../../../src/roles/campaign/market/settle.ts";
import { checkTraining, layTraining, postTraining } from "../../../src/roles/campaign/versions/train.ts";
import { temporaryFolder } from "../../support/binary.ts";
import { startChain, type TestChain } from "../../support/chain/chain.ts";
import { newActor } from "../../support/market/parties.ts";

const [OWNER, AUTHOR] = [1, 2] as const;
const id = (n: number) => `0x${n.toString(16).padStart(64, "0")}` as Hex;
const provider = `0x${"1".repeat(40)}` as Address;

const file = campaignFileSchema.parse({
  version: 1,
  name: "sentences",
  campaign: {
    ...{ deposit: "0.05", price: "0.02", bond: "0.05" },
    ...{ rows: 10, capacity: 7, fixWindow: "5m", stepWindow: "5m" },
  },
  collection: {
    ...{ about: "One sentence and its label.", closes: "2h" },
    hidden: { rows: "hidden.txt", slices: 2 },
  },
});
const rows = ["1\tgood", "0\tbad", "0\tdull"];

test("a settled job is the next version, with the score that its validator agreed on; another is none", () => {
  const measured = (digest: Hex, score: bigint) => ({ digest, score, salt: id(0) });
  const job = (n: number, state: Job["state"], score: bigint) =>
    ({
      ...{ id: id(n), state, terms: { provider } },
      providerMeasurement: measured(id(50), 0n),
      validations: [{ measurement: measured(id(51), 9n) }, { measurement: measured(id(50), score) }],
    }) as unknown as Job;
  const training = (n: number): Training => ({
    ...{ job: id(n), rowsDigest: id(9), rows: 3, entries: [0], block: n },
  });
  const versions = versionsOf([
    { training: training(1), job: job(1, "Settled", 700n) },
    { training: training(2), job: job(2, "Refunded", 0n) },
    { training: training(3), job: job(3, "Settled", 800n) },
  ]);
  assert.deepEqual(
    versions.map(({ version, previous, score }) => [version, previous, score]),
    [
      [1, undefined, 700n],
      [undefined, id(1), undefined],
      [2, id(1), 800n],
    ],
  );
});

test("a job is refused that does not train on the rows, or shows its provider the hidden test set", () => {
  const job = (inputs: string[], exam?: string[]) =>
    ({ inputs, verification: { mode: "exam", inputs: exam } }) as unknown as JobFile;
  checkTraining(job(["train.py", "rows.txt"], ["hidden.txt"]));
  for (const unfit of [
    job(["train.py"], ["hidden.txt"]),
    job(["rows.txt", "hidden.txt"], ["hidden.txt"]),
    job(["rows.txt"]),
  ])
    assert.throws(() => checkTraining(unfit), { code: "CAMPAIGN_JOB_UNFIT" });
});

describe("what a job of a campaign is given", () => {
  const options = { signal: new AbortController().signal };
  let chain: TestChain;
  before(async () => {
    chain = await startChain({ accounts: 3 });
  });
  after(() => chain.stop());

  test("is every accepted row and the whole hidden test set, and the journal keeps what it trained on", async (t) => {
    using folder = temporaryFolder();
    const [owner, author] = await Promise.all([OWNER, AUTHOR].map((index) => newActor(t, chain, index)));
    const hidden = ["1\tlovely", "0\tawful", "1\tgreat"];
    const planned = await planOpening(
      owner!.market,
      { file, token: COIN, owner: owner!.account, hidden },
      options,
    );
    await openCampaign(owner!, planned, options);
    const now = (market: Market) => market.campaign(planned.opening.id);
    const deposit = (await now(author!.market)).rules.depositOf(rows.length, await author!.market.now());
    await addRows(author!, await now(author!.market), { rows, deposit }, options);
    const hosting = await hostRows(author!, options);
    t.after(() => hosting.stop());
    const lay = async () => layTraining(owner!, await now(owner!.market), folder.path, options);
    await assert.rejects(lay(), { code: "CAMPAIGN_NO_ROW" });

    await chain.node.increaseTime(301);
    await settleCampaign(author!, planned.opening.id, () => true, options);
    const laid = await lay();
    const written = await readFile(folder.join("rows.txt"));
    assert.equal(written.toString(), "1\tgood\n0\tbad\n0\tdull\n");
    assert.deepEqual(
      (await readFile(folder.join("hidden.txt"), "utf8")).trim().split("\n").toSorted(),
      hidden.toSorted(),
    );
    assert.deepEqual([laid.rows, laid.entries, laid.rowsDigest], [3, [0], keccak256(written)]);

    await assert.rejects(
      postTraining(owner!, planned.opening.id, laid, async () => {
        throw new Error("no provider");
      }),
    );
    await postTraining(owner!, planned.opening.id, laid, async () => ({ id: id(7) }));
    const kept = owner!.journal
      .undertakings({ role: "campaign" })
      .filter(({ key }) => key.includes("/train/"))
      .map(({ key, finished }) => [
        finished,
        owner!.journal.open("campaign", key).intent<Training>("posted")?.job,
      ]);
    assert.deepEqual(kept, [
      ["failed", undefined],
      ["done", id(7)],
    ]);
    // Without the slices nothing can be examined.
    const path = `${owner!.jobsDir}/campaign/${planned.opening.id.slice(2)}/hidden.json`;
    await writeFile(path, "[]");
    await assert.rejects(lay(), { code: "CAMPAIGN_HIDDEN_LOST" });
  });
});
