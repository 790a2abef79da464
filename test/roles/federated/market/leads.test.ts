import assert from "node:assert/strict";
import { test } from "node:test";
import { IchainError } from "../../../../src/errors/error.ts";
import type { FetchRequest } from "../../../../src/ports/transport.ts";
import type { WorkerContext } from "../../../../src/roles/context.ts";
import {
  fetchFromAny,
  hear,
  LastToAnswer,
  type Lead,
} from "../../../../src/roles/federated/market/provider/leads.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { code } from "../../../support/parcel/parcels.ts";

const message = { round: 2, ledger: [] };
const channel = { feed: random32(), open: () => message };
const leads = ["hangs", "dead", "up"].map(
  (address) => ({ endpoint: { address }, channel }) as unknown as Lead,
);
const { signal } = new AbortController();

/** Of three that lead, one hangs, one is dead and one is up; resolves with whom a file was asked of, and how patiently. */
async function fetched(from: readonly Lead[], options = { signal }) {
  const asked: [string, number | undefined][] = [];
  const fetch = async ({ endpoint, quietMs }: FetchRequest) => {
    asked.push([endpoint.address, quietMs]);
    if (endpoint.address !== "up") throw new IchainError("TRANSFER_STALLED", "It sends nothing.");
    return "file";
  };
  const context = { transport: { fetch } } as unknown as WorkerContext;
  const file = fetchFromAny(context, from, { root: random32(), path: "", maxBytes: 1 }, options);
  return { file: await file.catch((error: unknown) => error), asked };
}

test("a file is asked of the one that answered last, and of the next where one stays silent", async () => {
  const last = new LastToAnswer();
  assert.ok(!last.isKnown);
  const context = {
    transport: {
      // One that hangs keeps a reader waiting until it leaves.
      fetchPart: (
        { endpoint: { address } }: { endpoint: { address: string } },
        { signal: left }: { signal: AbortSignal },
      ) =>
        new Promise((resolve, reject) => {
          left.addEventListener("abort", () => reject(left.reason as Error));
          if (address === "up") resolve(new Uint8Array());
          if (address === "dead") reject(new IchainError("TRANSFER_UNREACHABLE", "It is away."));
        }),
    },
  } as unknown as WorkerContext;
  assert.equal(await hear(context, leads, { from: 2, accept: () => true, last }, { signal }), message);
  assert.deepEqual(
    last.first(leads).map(({ endpoint }) => endpoint.address),
    ["up", "hangs", "dead"],
  );
  const { file, asked } = await fetched(last.first(leads));
  assert.deepEqual([file, asked], ["file", [["up", 15_000]]]);

  // Without such knowledge each has a quarter of a minute, but the last, which there is no other for.
  const all = await fetched(leads);
  const patient = [
    ["hangs", 15_000],
    ["dead", 15_000],
    ["up", undefined],
  ];
  assert.deepEqual([all.file, all.asked], ["file", patient]);
  const none = await fetched(leads.slice(0, 2));
  assert.ok(code("TRANSFER_STALLED")(none.file));
});
