import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Wallet } from "ethers";
import { openJournal } from "../../../../src/journal/journal.ts";
import { signRecord } from "../../../../src/protocol/federated/ledger/record.ts";
import { isBelow, payLeaf } from "../../../../src/protocol/federated/ledger/tree.ts";
import type { FederatedJob } from "../../../../src/protocol/federated/market/job.ts";
import type { Address } from "../../../../src/protocol/ids.ts";
import { type Earned, keepPay } from "../../../../src/roles/federated/market/provider/settle.ts";
import type { FederatedDraft } from "../../../../src/roles/federated/market/requester/draft.ts";
import { closeBooks } from "../../../../src/roles/federated/market/requester/round/books.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { code, scratch } from "../../../support/parcel/parcels.ts";

const job = random32();
const lead = Wallet.createRandom();
const providers = [1, 2, 3].map(() => Wallet.createRandom());
const chainId = 1;
const escrow = `0x${"33".repeat(20)}` as const;
const domainOf = () => ({ chainId, escrow, job });
const draft = {
  file: { federated: { share: "gated", strategy: "fedavg" } },
  terms: { roundPrice: 1000n, requester: lead.address, seatFee: 0n },
} as unknown as FederatedDraft;

/** A round that closed with these accuracies, in millionths; 0: the update was left out. */
function closed(accuracies: readonly number[], earned: readonly (readonly [Address, bigint])[] = []) {
  return closeBooks(domainOf(), draft, {
    lead: lead.address.toLowerCase() as Address,
    sign: (hash) => signRecord(lead.signingKey, hash),
    ...{ round: 1, uploads: [], earned, previous: random32(), parent: random32(), model: random32() },
    members: providers.map(({ address }) => ({ account: address as Address, rows: 10 })),
    aggregated: {
      ...{ digest: random32(), memory: {}, before: undefined },
      members: providers.map(({ address }, i) => ({
        ...{ account: address as Address, accuracy: accuracies[i]!, weight: 10, taken: accuracies[i]! > 0 },
      })),
    },
    times: { finishedAt: 1, seconds: 1 },
    bytes: new Map(),
  });
}

test("a round is paid by measured accuracy, and the lead keeps what is left", () => {
  const { earned } = closed([500_000, 250_000, 0]);
  const sums = new Map(earned);
  const of = ({ address }: { address: string }) => sums.get(address.toLowerCase() as Address) ?? 0n;
  assert.deepEqual(providers.map(of), [653n, 326n, 0n]);
  assert.equal(of(lead), 21n);
  // Nobody's work was worth anything: all goes back.
  const refunded = new Map(closed([0, 0, 0]).earned);
  assert.deepEqual([...refunded], [[lead.address.toLowerCase(), 1000n]]);
});

test("a provider keeps the proof of its pay, and refuses an account that is not the chain's", async (t) => {
  const { closing, lines } = closed([500_000, 250_000, 0]);
  const account = providers[0]!.address as Address;
  const journal = openJournal(join(await scratch(t), "journal.db"));
  t.after(() => journal.close());
  const record = journal.open("federated-provider", job);
  const at = (change: object = {}) =>
    ({ closings: [{ closing: { ...closing, ...change } }] }) as unknown as FederatedJob;
  const keep = (of: FederatedJob, told: readonly string[]) =>
    keepPay({ account }, record, { job: of, round: 1, lines: told });
  const refused = code("FEDERATED_MESSAGE_INVALID", "LEDGER_MALFORMED");
  await assert.rejects(keep(at({ payRoot: random32() }), lines), refused);
  await assert.rejects(keep(at(), []), refused);
  await assert.rejects(keep(at(), ["{}"]), refused);
  await assert.rejects(keep(at(), [lines.at(-1)!.replace('"653"', '"900"')]), refused);
  await assert.rejects(keep({ closings: [] } as unknown as FederatedJob, lines), refused);
  await keep(at(), lines);
  const { earned, proof } = record.outcome<Earned>("pay-1")!;
  assert.equal(earned, 653n);
  assert.ok(isBelow(closing.payRoot, payLeaf(account.toLowerCase() as Address, earned), proof));
});
