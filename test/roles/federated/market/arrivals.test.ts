import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Wallet } from "ethers";
import { openJournal } from "../../../../src/journal/journal.ts";
import { encodeInt8 } from "../../../../src/protocol/federated/codec/int8.ts";
import { updateDigest } from "../../../../src/protocol/federated/digest.ts";
import { recordHash, signRecord } from "../../../../src/protocol/federated/ledger/record.ts";
import type { UpdateMessage } from "../../../../src/protocol/federated/market/messages.ts";
import type { Address } from "../../../../src/protocol/ids.ts";
import type { RoleContext } from "../../../../src/roles/context.ts";
import type { Channel } from "../../../../src/roles/federated/market/channel.ts";
import { leadFiles } from "../../../../src/roles/federated/market/requester/files.ts";
import { openArrivals, updatePath } from "../../../../src/roles/federated/market/requester/round/arrivals.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { scratch } from "../../../support/parcel/parcels.ts";

const [job, parent] = [random32(), random32()];
const domain = { chainId: 1, escrow: `0x${"33".repeat(20)}` as const, job };
const channel = {} as Channel;
const update = encodeInt8(new Float64Array(10).fill(0.5), new Uint8Array(32));
const wallets = [1, 2, 3, 4].map(() => Wallet.createRandom());
const accountOf = ({ address }: { address: string }) => address.toLowerCase() as Address;

/** What an account tells of the update, signed by `signer`. */
function told(
  account: Address,
  signer: { signingKey: Wallet["signingKey"] },
  change: object = {},
): UpdateMessage {
  const upload = {
    ...{
      round: 1,
      provider: account,
      parent,
      data: random32(),
      location: random32(),
      finishedAt: 1,
      seconds: 1,
    },
    update: updateDigest(createHash("sha256"), [update]),
    ...change,
  };
  const parcel = { root: upload.location, key: random32(), bytes: 100 };
  const signature = signRecord(signer.signingKey, recordHash(upload, domain));
  return { upload, signature, transport: "direct", address: "127.0.0.1:1", parcel };
}

test("what lies here of an update counts if it is the one that its provider signed", async (t) => {
  const dir = await scratch(t);
  const journal = openJournal(join(dir, "journal.db"));
  t.after(() => journal.close());
  const files = leadFiles(dir);
  const accounts = wallets.map(accountOf) as [Address, Address, Address, Address];
  const place = async (account: Address, bytes: Uint8Array) => {
    const path = updatePath(files, 1, account);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  };
  // As after a crash: whole; of another; no update at all. The last is whole, and its notice is signed by another.
  await place(accounts[0], update);
  await place(accounts[1], encodeInt8(new Float64Array(10).fill(0.25), new Uint8Array(32)));
  await place(accounts[2], new Uint8Array(100).fill(7));
  await place(accounts[3], update);
  const context = {
    market: { ledgerDomainOf: () => domain, now: async () => 0 },
    reporter: { emit: () => undefined },
  } as unknown as RoleContext;
  const members = accounts.map((account) => ({ account, channel }));
  const stop = new AbortController();
  t.after(() => stop.abort());
  const record = journal.open("federated-requester", job);
  const of = { job, round: 1, parent, parameters: 10, members, files };
  const arrivals = openArrivals(context, record, of, stop);
  for (const [i, account] of accounts.entries())
    await arrivals.take(account, channel, told(account, wallets[i === 3 ? 0 : i]!));
  // Of another round, of another model, for another account: passed over.
  for (const change of [{ round: 2 }, { parent: random32() }, { provider: accounts[0] }])
    await arrivals.take(accounts[3], channel, told(accounts[3], wallets[3]!, change));
  assert.equal(record.intent(`notice-1-${accounts[3]}`), undefined);
  await arrivals.take(accounts[3], channel, told(accounts[3], wallets[3]!));
  const far = { quorum: 1, sendBy: Number.MAX_SAFE_INTEGER };
  assert.deepEqual(await arrivals.enough(far), [accounts[0], accounts[3]]);
});
