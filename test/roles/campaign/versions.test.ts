import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { keccak256 } from "ethers";
import type { Market } from "../../../src/ports/market.ts";
import { COIN } from "../../../src/protocol/amounts.ts";
import { campaignFileSchema } from "../../../src/protocol/campaign/file.ts";
import {
  checkOfJob,
  encodeEntries,
  entriesOf,
  type Publication,
  type Training,
  versionsOf,
} from "../../../src/protocol/campaign/versions.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";
import { blindKey, keyCommitment } from "../../../src/protocol/job/exchange.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import type { JobFile } from "../../../src/protocol/task/spec.ts";
import { addRows } from "../../../src/roles/campaign/market/add.ts";
import { hostRows } from "../../../src/roles/campaign/market/host.ts";
import { openCampaign, planOpening } from "../../../src/roles/campaign/market/open.ts";
import { settleCampaign } from "../../../src/roles/campaign/market/settle.ts";
import { carryOnCampaigns } from "../../../src/roles/campaign/serving/carry-on.ts";
import { checkVersion } from "../../../src/roles/campaign/versions/check.ts";
import { fetchModel } from "../../../src/roles/campaign/versions/fetch.ts";
import { publishVersions } from "../../../src/roles/campaign/versions/publish.ts";
import {
  checkTraining,
  layTraining,
  postTraining,
  type Scope,
} from "../../../src/roles/campaign/versions/train.ts";
import { type Draft, recordDraft } from "../../../src/roles/job/requester/posting/draft.ts";
import { temporaryFolder } from "../../support/binary.ts";
import { send, startChain, type TestChain } from "../../support/chain/chain.ts";
import { type Actor, newActor } from "../../support/market/parties.ts";

const [OWNER, AUTHOR, THIRD] = [1, 2, 3] as const;
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

test("a version is what was published, compared with its job; what was only trained has no number", () => {
  const measured = (digest: Hex, score: bigint) => ({ digest, score, salt: id(0) });
  const job = (n: number, state: Job["state"], score: bigint) =>
    ({
      ...{ id: id(n), state, terms: { provider } },
      providerMeasurement: measured(id(50), 0n),
      validations: [{ measurement: measured(id(51), 9n) }, { measurement: measured(id(50), score) }],
    }) as unknown as Job;
  const training = (n: number): Training => ({
    ...{ job: id(n), rowsDigest: id(9), rows: 3, without: [], block: n },
  });
  const publication: Publication = {
    ...{ number: 1, rows: 3, asOf: 1, job: id(1), rowsDigest: id(9), modelDigest: id(50) },
    ...{ score: 700n, without: "0x", locator: "0x" },
  };
  const settled = job(1, "Settled", 700n);
  const versions = versionsOf(
    [{ publication, job: settled }],
    [
      { training: training(1), job: settled },
      { training: training(2), job: job(2, "Refunded", 0n) },
      { training: training(3), job: job(3, "Settled", 800n) },
    ],
  );
  assert.deepEqual(
    versions.map(({ version, previous, score, state }) => [version, previous, score, state]),
    [
      [1, undefined, 700n, "Settled"],
      [undefined, id(1), undefined, "Refunded"],
      [undefined, id(1), 800n, "Settled"],
    ],
  );
  const results = (of: Publication, its: Job | undefined) =>
    checkOfJob(of, its).map(({ what, result }) => `${what} ${result}`);
  assert.deepEqual(results(publication, settled), ["job right", "score right", "model right"]);
  assert.deepEqual(results({ ...publication, score: 701n, modelDigest: id(51) }, settled), [
    ...["job right", "score wrong", "model wrong"],
  ]);
  assert.deepEqual(results(publication, job(1, "Refunded", 700n)), ["job wrong"]);
  assert.deepEqual(results(publication, undefined), ["job wrong"]);
});

test("entries that a version leaves out are four bytes each, ascending", () => {
  assert.deepEqual(entriesOf(encodeEntries([0, 7, 300])), [0, 7, 300]);
  for (const strange of ["0x000000", encodeEntries([2, 1]), `0x${"00".repeat(132)}`] as Hex[])
    assert.equal(entriesOf(strange), undefined);
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
    chain = await startChain({ accounts: 4 });
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
    const scope = { without: [], available: false, wait: 0, quietMs: 1_000 };
    const lay = (given: Partial<Scope> = {}) =>
      layTraining(owner!, planned.opening, { folder: folder.path, scope: { ...scope, ...given } }, options);
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
    assert.deepEqual([laid.rows, laid.without, laid.rowsDigest], [3, [], keccak256(written)]);

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

  test("a settled job is published once, after a kill and a taken number too, and a stranger fetches it", async (t) => {
    using folder = temporaryFolder();
    const [owner, author, third] = await Promise.all(
      [OWNER, AUTHOR, THIRD].map((index) => newActor(t, chain, index)),
    );
    const hidden = ["1\tlovely", "0\tawful", "1\tgreat"];
    const request = { file, token: COIN, owner: owner!.account, hidden };
    const planned = await planOpening(owner!.market, request, options);
    await openCampaign(owner!, planned, options);
    const campaignId = planned.opening.id;
    const now = (market: Market) => market.campaign(campaignId);
    const deposit = (await now(author!.market)).rules.depositOf(rows.length, await author!.market.now());
    const entry = await addRows(author!, await now(author!.market), { rows, deposit }, options);
    await chain.node.increaseTime(301);
    await settleCampaign(author!, campaignId, () => true, options);
    const scope = { without: [], available: false, wait: 0, quietMs: 500 };
    const lay = (given: Partial<Scope>) =>
      layTraining(owner!, planned.opening, { folder: folder.path, scope: { ...scope, ...given } }, options);
    // Its author serves nothing: neither the owner's own rows nor any other author must wait for it.
    await assert.rejects(lay({}), { code: "CAMPAIGN_ROWS_MISSING" });
    await assert.rejects(lay({ available: true }), { code: "CAMPAIGN_NO_ROW" });
    await assert.rejects(lay({ without: [7] }), { code: "CAMPAIGN_NO_ENTRY" });
    const hosting = await hostRows(author!, options);
    t.after(() => hosting.stop());
    const laid = await lay({ wait: 60 });
    assert.equal(entry, 0);

    const settled = await settledJob(owner!, folder.join("model"));
    await postTraining(owner!, campaignId, laid, async () => ({ id: settled.id }));
    const published = async () => (await now(third!.market)).publications;
    const knows = <Context extends Actor>(actor: Context, market: Partial<Market> = {}): Context => ({
      ...actor,
      market: { ...actor.market, job: async () => settled, ...market },
    });
    const killed = async (): Promise<never> => {
      throw new Error("killed");
    };
    await assert.rejects(
      publishVersions(knows(owner!, { broadcast: killed }), campaignId, options),
      /killed/,
    );
    // Meanwhile another home of the owner takes the number.
    const other = { ...owner!, market: chain.market(OWNER) };
    t.after(() => other.market.stop());
    const taken: Publication = {
      ...{ number: 1, rows: 2, asOf: 1, job: id(99), rowsDigest: id(9), modelDigest: id(50) },
      ...{ score: 1n, without: "0x", locator: "0x" },
    };
    await send(other.market, {
      kind: "publishVersion",
      campaign: await now(other.market),
      publication: taken,
    });
    const done = await carryOnCampaigns(knows(owner!), options);
    assert.deepEqual(
      done.map(({ act }) => act),
      ["version-2"],
    );
    assert.deepEqual(await publishVersions(knows(owner!), campaignId, options), []);
    assert.deepEqual(
      (await published()).map(({ job }) => job),
      [id(99), settled.id],
    );

    // The owner's home serves it; a third has neither rows nor model.
    const models = await hostRows(owner!, options);
    t.after(() => models.stop());
    const [strange, version] = await published();
    const campaign = await now(third!.market);
    const check = async (publication: Publication) =>
      (await checkVersion(knows(third!), campaign, publication, options)).map(
        ({ what, result }) => `${what} ${result}`,
      );
    assert.deepEqual(await check(version!), ["job right", "score right", "model right", "rows right"]);
    assert.deepEqual(await check(strange!), ["job right", "score wrong", "model wrong", "rows wrong"]);
    const into = folder.join("fetched");
    const got = await fetchModel(third!, campaign, version!, { folder: into, most: 1 << 20 }, options);
    assert.deepEqual(got.files, ["model.bin"]);
    assert.equal(await readFile(`${into}/model.bin`, "utf8"), "weights");
    const again = { folder: folder.join("again"), most: 1 << 20 };
    const lied = { ...version!, modelDigest: id(51) };
    await assert.rejects(fetchModel(third!, campaign, lied, again, options), {
      code: "CAMPAIGN_MODEL_STRANGE",
    });
    assert.equal(existsSync(again.folder), false);
  });
});

/** A settled job of this home whose result, one file, is here: what the chain and the journal have of it. */
async function settledJob(owner: Actor, folder: string): Promise<Job> {
  await mkdir(folder);
  await writeFile(`${folder}/model.bin`, "weights");
  const packed = await owner.parcels.pack({ root: folder, paths: ["model.bin"], out: `${folder}.parcel` });
  const mask = id(77);
  const blindedKey = blindKey(packed.sessionKey, mask);
  const measurement = { digest: packed.digest, score: 812_000_000n, salt: id(0) };
  const job = {
    ...{ id: id(7), state: "Settled", terms: { provider }, blindedKey },
    submission: { keyCommitment: keyCommitment(id(7), blindedKey) },
    ...{ providerMeasurement: measurement, validations: [{ measurement }] },
  } as unknown as Job;
  const record = owner.journal.open("requester", job.id);
  const draft = { mask, spec: { resources: { disk: 1 << 20 } } } as unknown as Draft;
  await recordDraft(record, draft);
  await record.step("collect", { prepare: () => null, act: () => ({ result: packed.blob }) });
  return job;
}
