import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { COIN } from "../../../src/protocol/amounts.ts";
import { fromHex, toHex } from "../../../src/protocol/bytes.ts";
import { briefOf, encodeBrief } from "../../../src/protocol/campaign/brief.ts";
import type { Campaign } from "../../../src/protocol/campaign/campaign.ts";
import { campaignFileSchema } from "../../../src/protocol/campaign/file.ts";
import { encodeRows, rowDigest, rowsRoot } from "../../../src/protocol/campaign/rows.ts";
import type { Hex } from "../../../src/protocol/ids.ts";
import { addRows } from "../../../src/roles/campaign/market/add.ts";
import { campaignFiles } from "../../../src/roles/campaign/market/files.ts";
import { fixRow } from "../../../src/roles/campaign/market/fix.ts";
import { hostRows } from "../../../src/roles/campaign/market/host.ts";
import { openCampaign, planOpening } from "../../../src/roles/campaign/market/open.ts";
import { judgeFix } from "../../../src/roles/campaign/market/panel/judge.ts";
import { entryKeyFor, openRows, sealRows } from "../../../src/roles/campaign/market/private/parcel.ts";
import { refuseStranger } from "../../../src/roles/campaign/market/private/readers.ts";
import { decodeCorrection, encodeCorrection } from "../../../src/roles/campaign/market/private/seal.ts";
import { currentRows, keptKey, rowsOf, takeRows } from "../../../src/roles/campaign/market/rows.ts";
import { concerns, settleCampaign } from "../../../src/roles/campaign/market/settle.ts";
import { createParcels } from "../../../src/transfer/parcel/parcels.ts";
import { send, startChain, type TestChain } from "../../support/chain/chain.ts";
import { controls } from "../../support/chain/evm.ts";
import { type Actor, newActor } from "../../support/market/parties.ts";
import { newKeyring, scratch } from "../../support/parcel/parcels.ts";

const { signal } = new AbortController();
const options = { signal };
const rows = ["1\tgood", "0\tbad", "0\tgreat"];
const campaign = `0x${"ca".repeat(32)}` as Hex;
const strange = { code: "CAMPAIGN_PARCEL_STRANGE" };

/** What sealing needs of a home. */
async function newHome(t: TestContext) {
  const keyring = await newKeyring();
  const { account } = keyring.party;
  return { account, keyring, parcels: createParcels({ keyring }), jobsDir: await scratch(t) };
}

test("a parcel of rows opens for its readers and its author alone, and for its own entry alone", async (t) => {
  const homes = await Promise.all([1, 2, 3, 4].map(() => newHome(t)));
  const [author, owner, reader, stranger] = homes as [Home, Home, Home, Home];
  const key = await entryKeyFor(author, campaign, rows);
  const again = await entryKeyFor(author, campaign, rows);
  assert.equal(again, key, "the same rows are known to be the same");
  assert.notEqual(await entryKeyFor(author, campaign, rows.slice(1)), key);
  assert.notEqual(await entryKeyFor(stranger, campaign, rows), key);
  const root = rowsRoot(author.account, rows, key);
  const readers = [owner, reader].map(({ keyring }) => keyring.publicKeys.onionKey);
  const sealed = await sealRows(author, { campaign, root, key, rows }, readers, options);
  assert.ok(!Buffer.from(sealed).includes("great"));
  const open = (home: Home, bytes = sealed, place = { campaign, root }) =>
    openRows(home, { ...place, entry: 0, sealed: bytes }, options);
  for (const home of [author, owner, reader]) {
    const opened = await open(home);
    assert.deepEqual([opened.key, [...opened.rows]], [key, [...encodeRows(rows)]]);
  }
  await assert.rejects(open(stranger), strange);
  // Nobody passes it off as an entry of another campaign, or as another entry of this one.
  await assert.rejects(open(reader, sealed, { campaign: root, root }), strange);
  await assert.rejects(open(reader, sealed, { campaign, root: campaign }), strange);

  const changed = (at: number, value: number) => {
    const bytes = Buffer.from(sealed);
    bytes[at] = value;
    return bytes;
  };
  const hostile: readonly Uint8Array[] = [
    ...[0, 7, 8, 40, 41, 100, 221, sealed.length - 1].map((end) => sealed.subarray(0, end)),
    ...[0, 255, 11, 4, 2].map((count) => changed(40, count)),
    // The author's key: another's, and one of small order.
    Buffer.concat([sealed.subarray(0, 8), fromHex(readers[0]!), sealed.subarray(40)]),
    Buffer.concat([sealed.subarray(0, 8), new Uint8Array(32), sealed.subarray(40)]),
    ...[0, 9, 150, 300, sealed.length - 1].map((at) => changed(at, sealed[at]! ^ 1)),
    encodeRows(rows),
    Buffer.concat([sealed, randomBytes(1)]),
  ];
  for (const [i, bytes] of hostile.entries()) {
    // The second capsule is the reader's; the first alone may be broken.
    await assert.rejects(open(reader, bytes), strange, `case ${i}`);
  }
  for (const home of homes) {
    const { dir } = campaignFiles(home.jobsDir, campaign);
    assert.deepEqual(await readdir(dir).catch(() => []), [], "nothing opened stays behind");
  }
  // A parcel that is one, of something else.
  const other = await sealRows(author, { campaign: root, root, key, rows }, readers, options);
  const parcelAt = 41 + 3 * 60;
  const mixed = Buffer.concat([sealed.subarray(0, parcelAt), other.subarray(parcelAt)]);
  await assert.rejects(open(reader, mixed), { ...strange, message: /another entry/ });
});
type Home = Awaited<ReturnType<typeof newHome>>;

test("a correction opens under its entry's key alone, and a row is not recognised by its hash", async () => {
  const [key, other] = [toHex(randomBytes(32)), toHex(randomBytes(32))];
  const content = encodeCorrection("1\tgreat", key);
  assert.equal(decodeCorrection(content, key), "1\tgreat");
  assert.equal(decodeCorrection(content, other), undefined);
  for (const bad of ["0x", "0x00", `0x${"00".repeat(28)}`, content.slice(0, -2), `${content}00`] as Hex[])
    assert.equal(decodeCorrection(bad, key), undefined);
  const author = `0x${"ab".repeat(20)}` as const;
  const roots = [undefined, key, other].map((one) => rowsRoot(author, ["1\tgood"], one));
  assert.equal(new Set(roots).size, 3);
});

test("a brief names up to nine readers, and of another form names none", () => {
  const keys = Array.from({ length: 9 }, () => toHex(randomBytes(32)));
  const told = (content: unknown) => {
    const { description, specHash } = encodeBrief(content as never);
    return briefOf({ description, terms: { specHash } } as never);
  };
  const brief = { name: "secret", about: "a".repeat(400), readers: keys };
  assert.deepEqual(told(brief), brief);
  assert.equal(told({ name: "open", about: "all" })?.readers, undefined);
  assert.equal(told({ ...brief, readers: [...keys, keys[0]] }), undefined);
  assert.equal(told({ ...brief, readers: [] }), undefined);
  assert.equal(told({ ...brief, readers: ["0x00"] }), undefined);
  const { description } = encodeBrief(brief);
  assert.ok(description.length < 2 + 2 * 1024);
});

describe("a private campaign among real homes", () => {
  const HOUR = 3600;
  const ETHER = 10n ** 18n;
  let chain: TestChain;
  let evm: ReturnType<typeof controls>;

  const file = campaignFileSchema.parse({
    version: 1,
    name: "private sentences",
    campaign: {
      ...{ deposit: "0.05", price: "0.02", reward: "0.01", bond: "0.06", fee: "0.01" },
      ...{ rows: 10, capacity: 7, fixWindow: "1h", stepWindow: "10m" },
    },
    collection: { about: "One sentence and its label.", closes: "2h", private: {} },
  });

  before(async () => {
    chain = await startChain({ accounts: 5 });
    evm = controls(chain.node);
  });
  after(() => chain.stop());

  test("is read, fixed and judged by its readers, and by no stranger", async (t) => {
    const parties = await Promise.all([1, 2, 3, 4].map((index) => newActor(t, chain, index)));
    const [owner, author, reader, stranger] = parties as [Actor, Actor, Actor, Actor];
    const readers = [owner, reader].map(({ keyring }) => keyring.publicKeys.onionKey);
    const plan = { file, token: COIN, owner: owner.account, hidden: [], readers };
    const planned = await planOpening(owner.market, plan, options);
    await openCampaign(owner, planned, options);
    const { id } = planned.opening;
    const now = (actor: Actor): Promise<Campaign> => actor.market.campaign(id);
    assert.deepEqual(briefOf(await now(stranger))?.readers, readers);

    const adding = { rows, deposit: ETHER };
    assert.equal(await addRows(author, await now(author), adding, options), 0);
    await assert.rejects(addRows(author, await now(author), adding, options), {
      code: "CAMPAIGN_ROWS_KNOWN",
    });
    const hosting = await hostRows(author, options);
    t.after(() => hosting.stop());
    const { batches } = await now(reader);
    assert.notEqual(batches[0]!.root, rowsRoot(author.account, rows), "the rows are no guess away");
    await assert.rejects(rowsOf(stranger, await now(stranger), 0, options), { code: "CAMPAIGN_PRIVATE" });
    assert.throws(() => refuseStranger(stranger, planned.opening as never), { code: "CAMPAIGN_PRIVATE" });
    for (const actor of [reader, owner, author])
      assert.deepEqual(await rowsOf(actor, await now(actor), 0, options), rows);
    // What is kept is read again, under the key that was kept with it.
    assert.deepEqual(await rowsOf(reader, await now(reader), 0, options), rows);

    const key = await keptKey(reader, await now(reader), 0);
    const repair = { entry: 0, row: 2, rows, corrected: "1\tgreat", key };
    const place = await fixRow(reader, await now(reader), repair, options);
    const shown = (await now(owner)).amendmentOf(place)!;
    assert.ok(!Buffer.from(fromHex(shown.content)).includes("great"));
    assert.notEqual(shown.original, rowDigest("0\tgreat"));
    await judgeFix(owner, await now(owner), { place, right: true }, options);

    // Two entries that do not open as they were added: told as such, and fixed as rows that are not there.
    const hostile = async (root: Hex) => {
      const call = { root, count: 1, deposit: ETHER, locator: "0x" } as const;
      await send(author.market, { kind: "addRows", campaign: await now(author), ...call });
      return (await now(owner)).batches.length - 1;
    };
    const liar = await entryKeyFor(author, id, ["1\tlie"]);
    const root = rowsRoot(author.account, ["1\tother"], liar);
    const sealed = await sealRows(
      author,
      { campaign: id, root, key: liar, rows: ["1\tlie"] },
      readers,
      options,
    );
    const other = await hostile(root);
    await assert.rejects(takeRows(owner, await now(owner), other, sealed, options), {
      code: "CAMPAIGN_ROWS_STRANGE",
    });
    const closed = await hostile(rowsRoot(author.account, ["1\tplain"]));
    const plain = encodeRows(["1\tplain"]);
    await assert.rejects(takeRows(owner, await now(owner), closed, plain, options), strange);
    const files = campaignFiles(owner.jobsDir, id);
    for (const path of [files.entry(other), files.key(other), files.entry(closed)])
      await assert.rejects(readFile(path), { code: "ENOENT" });
    const absent = { entry: closed, row: 0, rows: undefined, corrected: undefined };
    const gone = await fixRow(reader, await now(reader), absent, options);
    await judgeFix(owner, await now(owner), { place: gone, right: true }, options);

    await chain.node.increaseTime(3 * HOUR);
    await evm.mine();
    await settleCampaign(reader, id, concerns(reader.account), options);
    await settleCampaign(author, id, concerns(author.account), options);
    const ended = await now(owner);
    const texts = (one: Hex | undefined) => currentRows(ended, 0, rows, one).map(({ text }) => text);
    assert.deepEqual(texts(key), ["1\tgood", "0\tbad", "1\tgreat"]);
    assert.deepEqual(texts(undefined), ["1\tgood", "0\tbad"], "a correction does not open without the key");
    assert.deepEqual(currentRows(ended, closed, ["1\tplain"]), []);
    const homes: string[] = await readdir(join(stranger.home)).catch(() => []);
    assert.ok(!homes.includes("jobs"), "a stranger fetched nothing");
  });

  test("rows are added to no campaign whose brief cannot be read", async (t) => {
    const [owner, author] = (await Promise.all([1, 2].map((index) => newActor(t, chain, index)))) as [
      Actor,
      Actor,
    ];
    const plan = { file, token: COIN, owner: owner.account, hidden: [] };
    const planned = await planOpening(owner.market, plan, options);
    const description = toHex(new TextEncoder().encode('{"version":3,"name":"new"}'));
    const opening = { ...planned.opening, description };
    await send(owner.market, { kind: "openCampaign", campaign: opening, description });
    const found = await author.market.campaign(opening.id);
    const before = await evm.nonce(author.account);
    await assert.rejects(addRows(author, found, { rows, deposit: ETHER }, options), {
      code: "CAMPAIGN_BRIEF_UNKNOWN",
    });
    assert.equal(await evm.nonce(author.account), before);
  });
});
