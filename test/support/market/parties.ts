import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openJournal } from "../../../src/journal/journal.ts";
import { silentLogger } from "../../../src/ports/logger.ts";
import type { ProgressEvent } from "../../../src/ports/reporter.ts";
import type { Sandbox } from "../../../src/ports/sandbox.ts";
import type { Blob } from "../../../src/ports/transport.ts";
import type { Hex, JobId } from "../../../src/protocol/ids.ts";
import { blindKey, keyCommitment } from "../../../src/protocol/job/exchange.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import type { JobState } from "../../../src/protocol/job/state.ts";
import type { OfferDetails } from "../../../src/protocol/offer.ts";
import { type Endpoint, encodeLocator, endpointFor } from "../../../src/protocol/parcel/locator.ts";
import { policySchema } from "../../../src/protocol/policy/policy.ts";
import { jobFileSchema } from "../../../src/protocol/task/spec.ts";
import type { WorkerContext } from "../../../src/roles/context.ts";
import { runDaemon } from "../../../src/roles/daemon/daemon.ts";
import type { Machine } from "../../../src/roles/daemon/slots.ts";
import { provideDuty, setupOf } from "../../../src/roles/job/provider/run-job.ts";
import { type Again, type Draft, draftOf } from "../../../src/roles/job/requester/posting/draft.ts";
import { draftJob } from "../../../src/roles/job/requester/posting/draft-job.ts";
import { placeBundle } from "../../../src/roles/job/requester/posting/host-bundle.ts";
import { findCandidates, makePlan } from "../../../src/roles/job/requester/posting/plan.ts";
import { post } from "../../../src/roles/job/requester/posting/post.ts";
import { transact } from "../../../src/roles/shared/transact.ts";
import type { DiskBudget } from "../../../src/roles/task/kept/disk-budget.ts";
import { createSandbox } from "../../../src/sandbox/sandbox.ts";
import { lockJob } from "../../../src/sqlite/lock.ts";
import { createDirectTransport } from "../../../src/transfer/direct/direct-transport.ts";
import { createParcels } from "../../../src/transfer/parcel/parcels.ts";
import { send, someOffer, startChain, type TestChain } from "../chain/chain.ts";
import { providerTip } from "../chain/secrets.ts";
import { random32 } from "../chain/terms.ts";
import { lifo } from "../lifo.ts";
import { makeTree, newKeyring, scratch } from "../parcel/parcels.ts";

type Cleanup = Pick<TestContext, "after">;

const COIN = 10n ** 18n;

/** Somebody with everything that a role works with: chain, transport, parcels and journal are real. */
export interface Actor extends WorkerContext {
  readonly home: string;
  /** What it tells: "event" with each, as it comes. */
  readonly told: EventEmitter<{ event: [ProgressEvent] }>;
  /** Resolves with the first event that is so, told before or to come. */
  tells(wanted: (event: ProgressEvent) => boolean): Promise<ProgressEvent>;
}

/** An actor with account number `index`; no engine answers its sandbox unless one is given. */
export async function newActor(
  t: Cleanup,
  chain: TestChain,
  index: number,
  { home, sandbox, market = chain.market(index) }: Partial<Pick<Actor, "home" | "sandbox" | "market">> = {},
): Promise<Actor> {
  const folder = home ?? (await scratch(t));
  const keyring = await newKeyring(market.account);
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  const journal = openJournal(join(folder, "journal.db"));
  t.after(async () => {
    await transport.stop();
    journal.close();
  });
  const told: Actor["told"] = new EventEmitter();
  const events: ProgressEvent[] = [];
  told.on("event", (event) => events.push(event));
  return {
    home: folder,
    account: market.account,
    market,
    transport,
    parcels: createParcels({ keyring }),
    keyring,
    journal,
    jobsDir: join(folder, "jobs"),
    lockJob: (jobId) => lockJob(join(folder, "jobs", "requester", jobId.slice(2)), jobId),
    sandbox:
      sandbox ??
      createSandbox({
        socketPath: join(folder, "no.sock"),
        stateDir: join(folder, "sandbox"),
        instance: "test",
      }),
    told,
    logger: silentLogger,
    reporter: {
      emit: (event) => {
        if (process.env.DBG && event.kind !== "progress") console.error(index, event.kind, event.text);
        void told.emit("event", event);
      },
    },
    tells: (wanted) =>
      new Promise((resolve) => {
        const found = events.find(wanted);
        if (found) return resolve(found);
        const look = (event: ProgressEvent) => {
          if (!wanted(event)) return;
          told.off("event", look);
          resolve(event);
        };
        told.on("event", look);
      }),
  };
}

/** Publishes its offer, with a stake of five coins; `tokens` are what it takes beside the coin. */
export async function enlist({ market, keyring }: Actor, tokens: OfferDetails["tokens"] = []): Promise<void> {
  const details = { ...someOffer().details, tokens };
  await send(market, { kind: "publish", offer: someOffer({ keys: keyring.publicKeys, details }) });
  await send(market, { kind: "deposit", amount: 5n * COIN });
}

/** A chain with a requester and a provider that has enlisted; what is built on them is cleaned up before, by `t`. */
export async function startParties(
  test: TestContext,
  options: { home?: string; sandbox?: Sandbox } = {},
): Promise<{ t: Cleanup; chain: TestChain; requester: Actor; provider: Actor }> {
  const t = lifo(test);
  const chain = await startChain();
  t.after(() => chain.stop());
  const [requester, provider] = [await newActor(t, chain, 1), await newActor(t, chain, 2, options)];
  await enlist(provider);
  return { t, chain, requester, provider };
}

const waits = { signal: AbortSignal.timeout(300_000) };

/** Packs a bundle of `bytes` for `provider`, and posts the job unless told otherwise; hosts nothing. */
export async function newJob(
  requester: Actor,
  provider: Actor,
  {
    bytes = 1000,
    validators = [],
    posted = true,
    file: more = {},
    again = {},
    files = { "data.bin": randomBytes(bytes) },
  }: {
    bytes?: number;
    validators?: readonly Actor[];
    posted?: boolean;
    file?: object;
    again?: Partial<Again>;
    files?: Parameters<typeof makeTree>[1];
  } = {},
): Promise<JobId> {
  const folder = await makeTree(requester.home, files, `in-${bytes}`);
  const file = jobFileSchema.parse({
    version: 1,
    name: "test",
    image: "python-ml",
    command: ["train"],
    inputs: ["data.bin"],
    outputs: ["model"],
    price: "1",
    validatorFee: "0.01",
    resources: { time: "1m" },
    verification: { threshold: 0.9, validators: validators.length, tolerance: 0.001 },
    ...more,
  });
  const candidates = await findCandidates(requester.market, file, requester.account, waits);
  const chosen = candidates.providers.find(({ account }) => account === provider.account)!;
  const seats = await Promise.all(validators.map(({ account }) => requester.market.offer(account, waits)));
  const audit = { streak: 0, probability: 1, chance: 0, validated: seats.length > 0 };
  const plan = makePlan(file, candidates, {
    provider: chosen,
    validators: seats.filter((seat) => seat !== undefined),
    fit: [],
    audit,
  });
  const place = await placeBundle(requester, plan, waits);
  const id = await draftJob(
    requester,
    { file, folder, plan, place, again: { file, tries: 1, passed: [], ...again } },
    waits,
  );
  const journal = requester.journal.open("requester", id);
  if (posted) await post(requester, journal, draftOf(journal)!, waits);
  return id;
}

/** The provider's daemon; `stop` ends it and hands on what it failed with, `drain` lets it end its jobs. */
export function startProviding(
  t: Cleanup,
  provider: Actor,
  policy: object = {},
  { disk, whole }: { readonly disk?: DiskBudget | undefined; readonly whole?: Machine | undefined } = {},
) {
  const drain = new AbortController();
  const halt = new AbortController();
  const setup = setupOf(
    {
      policy: policySchema.parse(policy),
      machine: someOffer().details,
      report: { tier: "runc" } as never,
      disk,
      get draining() {
        return drain.signal.aborted;
      },
    },
    whole,
  );
  const duty = provideDuty(provider, setup);
  const options = { signal: halt.signal, draining: drain.signal };
  const ended = runDaemon(provider, duty, options).catch((error: unknown) => {
    if (!halt.signal.aborted) throw error;
  });
  const stop = async () => {
    halt.abort();
    await ended;
  };
  t.after(stop);
  return { ended, stop, drain: () => drain.abort() };
}

/** Accepts the job by hand; resolves with it as it is then. */
export async function acceptJob({ market, journal }: Actor, id: JobId): Promise<Job> {
  await transact(
    market,
    journal.open("provider", id),
    { kind: "accept", job: await market.job(id, waits) },
    waits,
  );
  return market.job(id, waits);
}

/** Submits, by hand, what lies at `endpoint` and hashes to these roots; the key is the one of the draft's mask. */
export async function submitJob(
  { market, keyring }: Actor,
  job: Job,
  {
    draft,
    requester,
    ...made
  }: {
    draft: Draft;
    requester: Actor;
    result: Pick<Blob, "root" | "size">;
    report: Pick<Blob, "root">;
    endpoint: Endpoint;
    sessionKey: Hex;
  },
): Promise<void> {
  const { publicKeys: keys } = requester.keyring;
  const locator = {
    kind: "result" as const,
    result: endpointFor(made.endpoint, keys.fingerprint),
    resultBytes: made.result.size,
    reportRoot: made.report.root,
    reportShare: random32(),
  };
  await send(market, {
    kind: "submit",
    job,
    resultRoot: made.result.root,
    measurementCommitment: random32(),
    keyCommitment: keyCommitment(job.id, blindKey(made.sessionKey, draft.mask)),
    seedTip: providerTip,
    sealed: await keyring.seal(encodeLocator(locator), { account: requester.account, keys }),
  });
}

/** A fetch that begins. */
export const fetches = ({ kind, text }: ProgressEvent) => kind === "start" && text.startsWith("Fetching");

/** The job once it is in one of these states. */
export async function reached({ market }: Actor, id: JobId, ...states: JobState[]): Promise<Job> {
  for await (const job of market.follow(id, waits)) if (states.includes(job.state)) return job;
  throw new RangeError(`the job ended in none of ${states}`);
}
