import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Wallet } from "ethers";
import { linkSignals } from "../../../../../src/async/abort.ts";
import { IchainError } from "../../../../../src/errors/error.ts";
import { openJournal } from "../../../../../src/journal/journal.ts";
import type { JobJournal, Step } from "../../../../../src/ports/journal.ts";
import type { Blob, Feed } from "../../../../../src/ports/transport.ts";
import { encodeInt8 } from "../../../../../src/protocol/federated/codec/int8.ts";
import { modelDigest, updateDigest } from "../../../../../src/protocol/federated/digest.ts";
import { recordHash, signRecord } from "../../../../../src/protocol/federated/ledger/record.ts";
import type { Closing } from "../../../../../src/protocol/federated/market/closing.ts";
import { jobRulesSchema } from "../../../../../src/protocol/federated/market/file.ts";
import type { FederatedJob } from "../../../../../src/protocol/federated/market/job.ts";
import type { UpdateMessage } from "../../../../../src/protocol/federated/market/messages.ts";
import {
  approvalSchema,
  commitmentSchema,
} from "../../../../../src/protocol/federated/market/seat-messages.ts";
import { signedClosing } from "../../../../../src/protocol/federated/market/signatures.ts";
import { Vector } from "../../../../../src/protocol/federated/vector.ts";
import type { Address, Hex } from "../../../../../src/protocol/ids.ts";
import type { WorkerContext } from "../../../../../src/roles/context.ts";
import { openSlots } from "../../../../../src/roles/daemon/slots.ts";
import { FileAggregation } from "../../../../../src/roles/federated/aggregation/aggregate-files.ts";
import { writeVector } from "../../../../../src/roles/federated/aggregation/vector-file.ts";
import { channelWith } from "../../../../../src/roles/federated/market/channel.ts";
import { Board } from "../../../../../src/roles/federated/market/requester/board.ts";
import { emptyRoundFiles, leadFiles } from "../../../../../src/roles/federated/market/requester/files.ts";
import type { RoundPlace } from "../../../../../src/roles/federated/market/requester/round/aggregate.ts";
import { openArrivals } from "../../../../../src/roles/federated/market/requester/round/arrivals.ts";
import { Answers } from "../../../../../src/roles/federated/market/seat/round/answers.ts";
import { playSeatRound } from "../../../../../src/roles/federated/market/seat/round/play-round.ts";
import type { Seat } from "../../../../../src/roles/federated/market/seat/round/seat.ts";
import { temporaryFolder } from "../../../../support/binary.ts";
import { random32 } from "../../../../support/chain/terms.ts";
import type { Point } from "../../../../support/crash/trace.ts";

/**
 * One round of two seats that lead a job of providers' own data, in this process: each is killed at a step of its journal
 * (both in one run), begins again with what the journal and the disk have, and the round must be closed as undisturbed.
 */

const id = random32();
const domain = { chainId: 1, escrow: `0x${"33".repeat(20)}` as const, job: id };
const byAddress = (a: { address: string }, b: { address: string }) =>
  a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1;
const seats = [1, 2].map(() => Wallet.createRandom()).sort(byAddress);
const providers = [1, 2].map(() => Wallet.createRandom()).sort(byAddress);
const layout = [{ name: "weights", shape: [10] }];
const start = new Vector(10);
const parent = modelDigest(createHash("sha256"), layout, start);
const updates = [0.5, 0.25].map((value) => encodeInt8(new Float64Array(10).fill(value), new Uint8Array(32)));
const rules = jobRulesSchema.parse({
  ...{ model: "model", test: { file: "test.npz" }, data: { own: "digits" }, strategy: "fedavg", quorum: 1 },
  ...{ audit: "off", local: {} },
});
const rows = {
  ...{ names: { rows: "x", labels: "y" }, labels: Uint8Array.of(0, 1), files: Uint8Array.of(0, 0), bytes: 0 },
  parts: [{ features: 1, shape: [1], values: Float32Array.of(0, 1), labels: Uint8Array.of(0, 1), bytes: 8 }],
};
const terms = {
  ...{
    requester: seats[0]!.address as Address,
    token: `0x${"00".repeat(20)}`,
    roundPrice: 1000n,
    seatFee: 10n,
  },
  ...{ rounds: 1, seats: 2, roundWindow: 1200, disputeWindow: 600, bundleRoot: random32() },
};
const member = (account: string, seat: boolean) => ({
  ...{ account: account as Address, seat, standing: seat ? "seated" : "enlisted", asserted: 0, claimed: 0n },
});
const job = {
  ...{ id, terms, state: "Running", deadline: 2_000, closings: [], disputes: [], judged: [], resumedAt: 0 },
  members: [
    ...providers.map(({ address }) => member(address, false)),
    ...seats.map(({ address }) => member(address, true)),
  ],
} as unknown as FederatedJob;

/** Where a seat dies, by its place. */
interface Death {
  readonly name: string;
  readonly point: Point;
}

interface Closed {
  readonly closing: Closing;
  readonly seats: number;
}

class Killed extends Error {}

/** A process of a seat. What it fetched and has not opened yet has to end before another takes its place. */
interface Life {
  readonly signal: AbortSignal;
  readonly fetched: Map<Hex, PromiseWithResolvers<void>>;
}

/** One seat's journal as its process sees it, until it dies. */
function mortal(
  journal: JobJournal,
  { death, seen, die }: { death: Death | undefined; seen: Set<string>; die: () => void },
): JobJournal {
  let dead = false;
  const reach = (name: string, point: Point) => {
    if (dead) throw new Killed();
    if (death?.name !== name || death.point !== point) return;
    dead = true;
    die();
    throw new Killed();
  };
  return {
    ...journal,
    step<Intent, Outcome>(name: string, { prepare, act }: Step<Intent, Outcome>) {
      seen.add(name);
      return journal.step<Intent, Outcome>(name, {
        prepare: async () => {
          const intent = await prepare();
          reach(name, "prepared");
          return intent;
        },
        act: async (intent) => {
          reach(name, "intended");
          const outcome = await act(intent);
          reach(name, "acted");
          return outcome;
        },
      });
    },
  };
}

/** Plays the round with these deaths; resolves with how it was closed, and which steps each seat made. */
async function play(aggregation: FileAggregation, deaths: readonly (Death | undefined)[]) {
  using folder = temporaryFolder();
  using stack = new DisposableStack();
  const journal = stack.adopt(openJournal(folder.join("journal.db")), (one) => one.close());
  const over = Promise.withResolvers<Closed>();
  const seen = seats.map(() => new Set<string>());
  const hosts = new Map<
    string,
    {
      blobs: Map<Hex, Blob>;
      feeds: Map<Hex, Feed>;
      take: (notice: Uint8Array) => Promise<void>;
      signal: AbortSignal;
    }
  >();
  const inputs = new Map<string, string>();
  const away = (cause?: unknown) => new IchainError("TRANSFER_UNREACHABLE", "It is away.", { cause });
  const hostAt = (address: string) => {
    const host = hosts.get(address);
    if (host === undefined || host.signal.aborted) throw away();
    return host;
  };
  const transportOf = (life: Life) => ({
    fetch: async ({ endpoint, root, path }: { endpoint: { address: string }; root: Hex; path: string }) => {
      const blob = hostAt(endpoint.address).blobs.get(root);
      if (blob === undefined || life.signal.aborted) throw away();
      life.fetched.set(root, Promise.withResolvers());
      if (blob.path !== path) copyFileSync(blob.path, path);
      return { ...blob, path };
    },
    fetchPart: async (
      { endpoint, id: feed, from }: { endpoint: { address: string }; id: Hex; from: number },
      options: { signal: AbortSignal },
    ) => {
      const { feeds, signal } = hostAt(endpoint.address);
      using until = linkSignals([options.signal, signal]);
      const part = await feeds.get(feed)!.read(from, until);
      if (signal.aborted) throw away();
      return part;
    },
    sendNotice: async ({ endpoint, notice }: { endpoint: { address: string }; notice: Uint8Array }) =>
      hostAt(endpoint.address)
        .take(notice)
        .catch((error) => Promise.reject(away(error))),
  });
  /** A parcel is a file of this machine. */
  const parcelsOf = (life: Life) => ({
    pack: async ({ root, paths, out }: { root: string; paths: string[]; out: string }) => {
      copyFileSync(join(root, paths[0]!), out);
      const bytes = readFileSync(out);
      const hash = `0x${createHash("sha256").update(bytes).digest("hex")}` as Hex;
      names.set(hash, paths[0]!);
      return { blob: { root: hash, path: out, size: bytes.length }, sessionKey: hash, digest: hash };
    },
    open: async ({ blob, into }: { blob: Blob; into: string }) => {
      life.fetched.get(blob.root)?.resolve();
      life.signal.throwIfAborted();
      mkdirSync(into, { recursive: true });
      copyFileSync(blob.path, join(into, names.get(blob.root)!));
    },
  });
  const names = new Map<Hex, string>();
  const sandbox = {
    run: async ({ id: run, inputDir }: { id: string; inputDir: string }) => {
      inputs.set(run, inputDir);
      const measured = Object.fromEntries(
        readdirSync(join(inputDir, "models")).map((name) => {
          const [byte] = createHash("sha256")
            .update(readFileSync(join(inputDir, "models", name)))
            .digest();
          return [name.replace(".safetensors", ""), { hidden: { acc: 0.5 + byte! / 1000, loss: 1 } }];
        }),
      );
      mkdirSync(folder.join(run), { recursive: true });
      writeFileSync(join(folder.join(run), "measured.json"), JSON.stringify(measured));
      return { ended: "exit", exitCode: 0, wallSeconds: 1, log: "" };
    },
    outputs: async (run: string) => folder.join(run),
    discard: async () => undefined,
  };
  const channelsOf = (mine: string, other: string) => {
    const secret = `0x${createHash("sha256").update([mine, other].sort().join()).digest("hex")}` as Hex;
    return channelWith({ agree: async () => secret }, secret, id);
  };
  const messages = providers.map(({ address, signingKey }, i): UpdateMessage => {
    const path = folder.join(`made-${i}`);
    writeFileSync(path, updates[i]!);
    const root = `0x${createHash("sha256").update(updates[i]!).digest("hex")}` as Hex;
    names.set(root, "update.bin");
    const blob = { root, path, size: updates[i]!.length };
    hosts.set(address, {
      blobs: new Map([[root, blob]]),
      feeds: new Map(),
      take: async () => undefined,
      signal: AbortSignal.any([]),
    });
    const upload = {
      ...{ round: 1, provider: address.toLowerCase() as Address, parent, data: id, location: root },
      ...{ update: updateDigest(createHash("sha256"), [updates[i]!]), finishedAt: 1, seconds: 1 },
    };
    const signature = signRecord(signingKey, recordHash(upload, domain));
    return { upload, signature, transport: "direct", address, parcel: { root, key: root, bytes: blob.size } };
  });

  const live = async (at: number, death: Death | undefined): Promise<void> => {
    const { address, signingKey } = seats[at]!;
    const dead = new AbortController();
    const life: Life = { signal: dead.signal, fetched: new Map() };
    const record = mortal(journal.open("federated-validator", `${id}${at}`), {
      ...{ death, seen: seen[at]!, die: () => dead.abort(new Killed()) },
    });
    void over.promise.then(() => dead.abort());
    const market = {
      account: address,
      now: async () => 1_000,
      ledgerDomainOf: () => domain,
      federatedJob: async () => job,
      signRecord: (hash: Hex) => signRecord(signingKey, hash),
      signClosing: (_: Hex, closing: Closing) => signRecord(signingKey, signedClosing(domain, closing)),
      prepare: async (call: unknown) => call,
      broadcast: async (call: { kind: string; closing: Closing; approvals: unknown[] }) => {
        assert.equal(call.kind, "closeRound");
        // With the transaction the round is over for both, whether or not this one lives to record it.
        if (death?.name !== "close-1") over.resolve({ closing: call.closing, seats: call.approvals.length });
        return {};
      },
    };
    const context = {
      ...{
        account: address,
        market,
        transport: transportOf(life),
        parcels: parcelsOf(life),
        sandbox,
        reporter: { emit: () => undefined },
      },
    } as unknown as WorkerContext;
    const files = leadFiles(folder.join(`seat-${at}`));
    await emptyRoundFiles(files);
    mkdirSync(files.input, { recursive: true });
    if (!existsSync(files.model(1))) writeVector(files.model(1), start);
    const other = seats[1 - at]!.address as Address;
    const channel = await channelsOf(address, other);
    const endpoint = { transport: "direct", address: other, token: "0x" } as const;
    const peers = [{ account: other, channel, endpoint, onionKey: "0x" as Hex }];
    const told: Seat["told"] = new Board();
    const answers = new Answers(record);
    const blobs = new Map<Hex, Blob>();
    const feed = told.feedOf(other, channel, channel.proposals);
    hosts.set(address, {
      ...{ blobs, feeds: new Map([[feed.id, feed]]) },
      signal: dead.signal,
      take: async (notice) => answers.take(other, channel.open(notice, commitmentSchema.or(approvalSchema))),
    });
    const members = await Promise.all(
      providers.map(async (one) => ({
        ...{
          account: one.address as Address,
          channel: await channelsOf(address, one.address),
          data: undefined,
        },
      })),
    );
    const of = { job: id, round: 1, parent, parameters: 10, members, files };
    const arrivals = openArrivals(context, record, of, dead);
    const draft = {
      ...{ file: { federated: rules }, folder: "", terms, layout, seed: `0x${"00".repeat(32)}` },
      spec: { resources: { cpus: 1, memory: 1 }, command: [], federated: { parameters: 10, start: parent } },
    };
    const place = {
      ...{ draft, files, aggregation, test: rows, train: undefined, root: undefined, open: undefined },
      tasks: { spec: { ...draft.spec, outputs: [] }, image: "x", input: files.input, gpus: [], logBytes: 1 },
      parts: providers.map(() => new Uint32Array()),
    } as unknown as RoundPlace;
    const order = seats.map((one) => one.address as Address);
    const hosting = { add: async (blob: Blob) => void blobs.set(blob.root, blob) };
    const seat = {
      ...{
        account: address,
        order,
        peers,
        members,
        hosting,
        slots: openSlots(1),
        disk: undefined,
        told,
        answers,
      },
    } as unknown as Seat;
    const state = {
      ...{ job, round: 1, kit: { mask: id }, place, parent, memory: {}, last: undefined, arrivals },
    };
    const notices = members.map((one, i) => arrivals.take(one.account, one.channel, messages[i]!));
    const taken = await Promise.allSettled(notices);
    if (taken.every(({ status }) => status === "fulfilled"))
      await playSeatRound(context, record, seat, state, dead).catch(() => undefined);
    await Promise.all([...life.fetched.values()].map(({ promise }) => promise));
    if (dead.signal.reason instanceof Killed) await live(at, undefined);
  };
  const lives = Promise.all(seats.map((_, at) => live(at, deaths[at])));
  const closed = await Promise.race([
    over.promise,
    lives.then(() => assert.fail("the round was not closed")),
  ]);
  await lives;
  return { closed, seen };
}

/** What two seats tell each other; what each does alone is for `npm run test:crash:rounds`. */
const TOLD =
  /^(chosen|listed|figures|committed|commitments?|proposal|heard|examined|approved|approval|close)-/;

test("two seats that are killed at each step of what they tell each other close the round as if they were not", async () => {
  await using aggregation = new FileAggregation(1);
  const { closed, seen } = await play(aggregation, []);
  const endOf = ({ closing, seats: signed }: Closed) => {
    const { modelDigest: model, payRoot, updatesRoot } = closing;
    return [signed, model, payRoot, updatesRoot];
  };
  assert.equal(closed.seats, 2);
  const deaths = seen.map((names) =>
    [...names]
      .filter((name) => TOLD.test(name))
      .flatMap((name) => (["intended", "acted"] as const).map((point): Death => ({ name, point }))),
  );
  assert.deepEqual(
    deaths.map((one) => one.length),
    [12, 12],
  );
  for (const i of deaths[0]!.keys()) {
    const these = deaths.map((one) => one[i]);
    const { closed: again } = await play(aggregation, these);
    assert.deepEqual(endOf(again), endOf(closed), JSON.stringify(these));
  }
});
