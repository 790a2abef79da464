import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openContent } from "../../../src/content/content.ts";
import type { Content } from "../../../src/ports/content.ts";
import { COIN } from "../../../src/protocol/amounts.ts";
import { fromHex, toHex } from "../../../src/protocol/bytes.ts";
import { campaignFileSchema } from "../../../src/protocol/campaign/file.ts";
import { encodeRows, rowsRoot } from "../../../src/protocol/campaign/rows.ts";
import { decodeLocator, encodeLocator } from "../../../src/protocol/parcel/locator.ts";
import { addRows } from "../../../src/roles/campaign/market/add.ts";
import { ownRows } from "../../../src/roles/campaign/market/host.ts";
import { openCampaign, planOpening } from "../../../src/roles/campaign/market/open.ts";
import { rowsOf } from "../../../src/roles/campaign/market/rows.ts";
import { send, startChain } from "../../support/chain/chain.ts";
import { type Actor, newActor } from "../../support/market/parties.ts";

const { signal } = new AbortController();
const options = { signal };
const ETHER = 10n ** 18n;
const rows = ["1\tgood", "0\tbad"];

const file = campaignFileSchema.parse({
  version: 1,
  name: "sentences",
  campaign: { deposit: "0.05", bond: "0.06", rows: 10, capacity: 7, fixWindow: "1h", stepWindow: "10m" },
  collection: { about: "One sentence and its label.", closes: "2h" },
});

test("rows that are public by their CID come from any gateway, and are those that were added", async (t) => {
  const chain = await startChain({ accounts: 4 });
  t.after(() => chain.stop());
  const actors = await Promise.all([1, 2, 3].map((index) => newActor(t, chain, index)));
  const homes = actors.map(async (actor) => ({
    ...actor,
    content: await openContent(join(actor.home, "blocks")),
  }));
  const [owner, author, reader] = (await Promise.all(homes)) as [Home, Home, Home];
  const plan = { file, token: COIN, owner: owner.account, hidden: [] };
  const planned = await planOpening(owner.market, plan, options);
  await openCampaign(owner, planned, options);
  const now = (actor: Actor) => actor.market.campaign(planned.opening.id);

  const path = join(author.home, "rows.txt");
  await writeFile(path, encodeRows(rows));
  const { cid } = await author.content.cidOf(path, { ...options, profile: "unixfs-v1-2025", keep: true });
  const adding = { rows, deposit: ETHER, cid };
  assert.equal(await addRows(author, await now(author), adding, options), 0);
  assert.deepEqual(ownRows(author), [], "it serves nothing itself");
  const { batches } = await now(reader);
  const locator = fromHex(batches[0]!.locator);
  assert.deepEqual(decodeLocator(locator, "rows", "content"), { kind: "content", cid });
  assert.ok(locator.length <= 128);

  await assert.rejects(rowsOf(reader, await now(reader), 0, options), { code: "CONTENT_UNREACHABLE" });
  await using served = await author.content.serve({
    ...{ gateway: "127.0.0.1:0", node: "127.0.0.1:0" },
    signal,
  });
  const sources = ["http://127.0.0.1:1", served.gateway];
  assert.deepEqual(await rowsOf({ ...reader, sources }, await now(reader), 0, options), rows);

  // Another root than that of the public rows: what comes is what the CID names, and not what was added.
  const root = rowsRoot(author.account, ["1\tother", "0\trows"]);
  const call = { root, count: 2, deposit: ETHER, locator: toHex(locator) } as const;
  await send(author.market, { kind: "addRows", campaign: await now(author), ...call });
  await assert.rejects(rowsOf({ ...reader, sources }, await now(reader), 1, options), {
    code: "CAMPAIGN_ROWS_STRANGE",
  });
});
type Home = Actor & { readonly content: Content };

test("a locator names no file but one by its CID", () => {
  for (const cid of [
    "",
    "../../etc/passwd",
    "http://127.0.0.1/",
    `b${"A".repeat(58)}`,
    `b${"a".repeat(200)}`,
  ])
    assert.throws(() => decodeLocator(encodeLocator({ kind: "content", cid }), "content"), {
      code: "LOCATOR_MALFORMED",
    });
  const whole = encodeLocator({ kind: "content", cid: `b${"a".repeat(58)}` });
  for (const bytes of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.of(0)])])
    assert.throws(() => decodeLocator(bytes, "content"), { code: "LOCATOR_MALFORMED" });
});
