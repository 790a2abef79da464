import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { IchainError, isIchainError } from "../../../../../src/errors/error.ts";
import { openJournal } from "../../../../../src/journal/journal.ts";
import { CLEAR } from "../../../../../src/protocol/federated/market/closing.ts";
import { EVIDENCE_FILE } from "../../../../../src/protocol/federated/market/dispute/evidence.ts";
import { kitRulesSchema } from "../../../../../src/protocol/federated/market/file.ts";
import type { Dispute, FederatedJob } from "../../../../../src/protocol/federated/market/job.ts";
import type { Address, Hex } from "../../../../../src/protocol/ids.ts";
import type { WorkerContext } from "../../../../../src/roles/context.ts";
import { openSlots } from "../../../../../src/roles/daemon/slots.ts";
import { channelWith } from "../../../../../src/roles/federated/market/channel.ts";
import { judge } from "../../../../../src/roles/federated/market/panel/judge.ts";
import type { PanelSetup } from "../../../../../src/roles/federated/market/panel/open-case.ts";
import type { CaseFiles } from "../../../../../src/roles/federated/market/panel/place.ts";
import { leadFiles } from "../../../../../src/roles/federated/market/requester/files.ts";
import { random32 } from "../../../../support/chain/terms.ts";
import { code, scratch } from "../../../../support/parcel/parcels.ts";

const seats = ["1", "2"].map((digit) => `0x${digit.repeat(40)}` as Address);
const job = {
  ...{ id: random32(), terms: { bundleRoot: random32() } },
  members: seats.map((account) => ({ account, seat: true })),
} as unknown as FederatedJob;
const dispute = { number: 1, round: 1, about: undefined } as Dispute;
const setup = { policy: { maxBundle: 1 << 20 } } as unknown as PanelSetup;
const rules = kitRulesSchema.parse({
  ...{ model: "model", test: { file: "test.npz" }, data: { own: "digits" }, strategy: "fedavg", quorum: 1 },
  ...{ audit: "off", local: {} },
});
const parcel = { root: random32(), key: random32(), bytes: 100 };
const proposal = {
  ...{ round: 1, finishedAt: 1, seconds: 1, measured: [], updates: [], model: parcel },
  signature: `0x${"11".repeat(65)}`,
};
const unreachable = () => new IchainError("TRANSFER_UNREACHABLE", "It is away.");

/** Judges what the first seat shows while the other is away, on a machine where opening the bundle fails with `fault`. */
async function judged(
  t: Parameters<typeof scratch>[0],
  { fault, isInTime, limit }: { fault: () => Error; isInTime: boolean; limit: AbortSignal },
) {
  const folder = await scratch(t);
  const keyring = { agree: async (of: Hex) => of, check: async () => undefined };
  const channel = await channelWith(keyring, seats[0]!, job.id);
  const opened: string[] = [];
  let asked = 0;
  const context = {
    keyring,
    market: { offer: async (account: Address) => ({ keys: { onionKey: account } }) },
    reporter: { emit: () => undefined },
    transport: {
      meetingPoint: async (address: Hex) => ({ endpoint: { address } }),
      fetchPart: async ({ endpoint: { address } }: { endpoint: { address: Hex } }) => {
        if (address !== channel.meeting("dispute-1")) throw unreachable();
        asked += 1;
        // It was just beginning.
        if (asked === 1) throw unreachable();
        return channel.seal({ evidence: parcel, bundle: { key: parcel.key, bytes: 10 } });
      },
      fetch: async ({ path }: { path: string }) => ({ root: parcel.root, path, size: 10 }),
    },
    parcels: {
      open: async ({ into }: { into: string }) => {
        opened.push(into);
        if (into.endsWith("-bundle")) throw fault();
        await mkdir(into, { recursive: true });
        const evidence = { round: 1, updates: [], kit: { rules, seed: random32() } };
        const closing = { lead: seats[0], proposal, memory: {}, earned: [], root: false };
        await writeFile(join(into, EVIDENCE_FILE), JSON.stringify({ ...evidence, closing }));
      },
    },
  } as unknown as WorkerContext;
  const journal = openJournal(join(folder, "journal.db"));
  t.after(() => journal.close());
  const record = journal.open("federated-panel", job.id);
  const files = { files: leadFiles(folder) } as unknown as CaseFiles;
  const request = { job, dispute, case: files, isInTime, alone: openSlots(1) };
  const { signal } = new AbortController();
  const finding = judge(context, record, request, setup, { signal, limit });
  return { finding, opened };
}

test("a panel's machine that fails finds nothing, and what a witness shows that cannot be used counts against it", async (t) => {
  const patient = new AbortController();
  const failing = await judged(t, {
    ...{ isInTime: true, limit: patient.signal },
    fault: () => new IchainError("RUN_LOST", "Another program removed its container."),
  });
  await assert.rejects(failing.finding, code("RUN_LOST"));

  const late = new AbortController();
  const forged = await judged(t, {
    ...{ isInTime: true, limit: late.signal },
    fault: () => {
      late.abort();
      return new IchainError("PARCEL_CORRUPT", "It is another one.");
    },
  });
  assert.equal(await forged.finding, CLEAR);
  assert.equal(forged.opened.length, 2);
});

test("what is not shown to a panel counts against those that signed where it listened in time alone", async (t) => {
  const fault = () => assert.fail("nothing is shown");
  const limit = AbortSignal.abort();
  const listened = await judged(t, { fault, isInTime: true, limit });
  assert.equal(await listened.finding, CLEAR);
  const restarted = await judged(t, { fault, isInTime: false, limit });
  await assert.rejects(restarted.finding, (error) => isIchainError(error, "PANEL_UNFIT") && !error.retryable);
});
