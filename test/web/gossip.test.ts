import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { gossipApi } from "../../src/commands/web/api/gossip.ts";
import type { PageContext } from "../../src/commands/web/page.ts";
import { gossipRoutes } from "../../src/commands/web/routes/gossip.ts";
import { openPeerStore } from "../../src/gossip/store.ts";
import { finalDigest } from "../../src/protocol/gossip/records/block.ts";
import type { Hex } from "../../src/protocol/ids.ts";
import {
  blockBy,
  confirmationsOf,
  finalBy,
  genesis,
  receiptBy,
  signerOf,
  transactionBy,
} from "../protocol/gossip/support.ts";
import { temporaryFolder } from "../support/binary.ts";

const { signal } = new AbortController();

/** What the page hears of a home, as its schema has it. */
async function answered(home: string) {
  const page = { context: { config: { home }, signal } } as unknown as PageContext;
  const [gossip] = gossipRoutes(page);
  return gossipApi.gossip.output.parse(await gossip!.answer({}, { signal }));
}

test("the page shows a home's chains with who confirmed them, the newest blocks, and says of what it cannot read why", async () => {
  using folder = temporaryFolder();
  assert.deepEqual(await answered(folder.path), { networks: [] });

  const [owner, one, other] = [signerOf("owner"), signerOf("a"), signerOf("b")];
  mkdirSync(folder.join("gossip", "digits"), { recursive: true });
  // As a peer that runs beside holds it.
  using store = openPeerStore(folder.join("gossip", "digits", "peer.db"), genesis);
  let tip: Hex | undefined;
  for (let height = 1; height <= 201; height++) {
    const transaction = transactionBy(owner, { create: 1000 + height, expire: 1060 + height });
    const receipts = [one, other].map((signer) =>
      receiptBy(signer, transaction, { accuracy: 500_000 + height }),
    );
    const fields = { height, time: 1100 + height, ...(tip !== undefined && { previous: tip }) };
    const block = blockBy(owner, [{ transaction, receipts }], fields);
    const final = finalBy(owner, block, confirmationsOf(block, height % 2 === 0 ? [one] : [one, other]));
    tip = finalDigest(final);
    store.keep([{ kind: "final", final, tip }]);
  }
  mkdirSync(folder.join("gossip", "broken"));
  writeFileSync(folder.join("gossip", "broken", "peer.db"), "no database");
  mkdirSync(folder.join("gossip", "empty"));

  const { networks } = await answered(folder.path);
  assert.deepEqual(
    networks.map(({ name }) => name),
    ["broken", "digits"],
  );
  const [broken, digits] = networks;
  assert.ok(broken!.why !== undefined && broken!.blocks.length === 0);
  assert.deepEqual([digits!.count, digits!.blocks.length, digits!.blocks[0]!.height], [201, 200, 2]);
  assert.equal(digits!.account, owner.identity.account);
  assert.deepEqual(digits!.blocks.at(-1), {
    ...{ height: 201, finalizedAt: 1306, transactions: 1, receipts: 2, confirmations: 2, accuracy: 0.500201 },
  });
  assert.deepEqual(digits!.witnesses, [
    { account: one.identity.account, confirmations: 200 },
    { account: other.identity.account, confirmations: 100 },
  ]);
});
