import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Contract, id } from "ethers";
import { parse, stringify } from "yaml";
import { createMarket } from "../../../src/chain/market.ts";
import { createClient } from "../../../src/index.ts";
import type { FederatedJob } from "../../../src/protocol/federated/market/job.ts";
import { ended, startTestMarket, type TestMarket } from "../../support/market/market.ts";
import { needs } from "../../support/require.ts";

const example = fileURLToPath(new URL("../../../examples/federated-digits/job.yaml", import.meta.url));
const guard = needs("docker", "root");
/** `Claimed(bytes32 indexed, address indexed, uint256)`. */
const claimed = id("Claimed(bytes32,address,uint256)");
const ROUND = 10n ** 16n;

let market: TestMarket;
let reader: ReturnType<typeof createMarket>;
const scope: (() => Promise<unknown> | unknown)[] = [];
const scratch = await mkdtemp(join(tmpdir(), "ichain-federated-"));
scope.push(() => rm(scratch, { recursive: true, force: true }));

before(async () => {
  if (guard.skip) return;
  const owner = { after: (fn: () => unknown) => scope.push(fn) } as never;
  market = await startTestMarket(owner, { providers: 4, validators: 0, transport: "direct" });
  const { rpcUrl, chainId, contracts } = market.network;
  reader = createMarket({ rpcUrl, chainId, addresses: contracts, database: ":memory:", pollMs: 100 });
});
after(async () => {
  await reader?.stop();
  for (const one of scope.toReversed()) await one();
});

/** The lines of JSON of a command that ended well. */
function lines({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }) {
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The job, once `wanted` holds of it. */
async function once(id: string, wanted: (job: FederatedJob) => boolean): Promise<FederatedJob> {
  for await (const job of reader.followFederated(id as never)) if (wanted(job)) return job;
  return assert.fail("the job is never so");
}

test("four providers train a model and are paid by what each was worth", guard, async () => {
  const out = join(scratch, "model");
  const quote = await market.ichain(["quote", example]);
  assert.equal(quote.locked, String(5n * ROUND));
  assert.equal(quote.roundShared, String((ROUND * 98n) / 100n));
  assert.equal(quote.worstLoss, String((4n * ROUND * 98n) / 100n + ROUND));
  const printed = lines(await market.attempt(["submit", example, "--yes", "-o", out]));
  const [end] = printed.slice(-1) as [{ jobId: string; measured: { acc: number }; tip: string }];
  const rounds = printed.slice(0, -1) as { providers: { account: string; pay: { amount: string } }[] }[];
  assert.equal(rounds.length, 5);
  assert.ok(end.measured.acc > 0.8, `accuracy ${end.measured.acc}`);
  const verified = await market.ichain(["verify", join(out, "job.ledger"), "--tip", end.tip]);
  assert.equal(verified.rounds, 5);
  assert.equal(verified.uploads, 20);

  // Any round's model is at hand, and everything is told of the job.
  const third = await market.ichain(["get", end.jobId, "--round", "3", "-o", join(scratch, "third")]);
  const shown = await market.ichain(["job", end.jobId.slice(0, 10)]);
  assert.equal(third.model, (shown.models as string[])[2]);
  const why = await market.ichain(["why", end.jobId]);
  assert.match(String(why.stands), /completed.* after 5 of 5 rounds/);
  const { federated } = (await market.ichain(["jobs", "--all"])) as { federated: { jobId: string }[] };
  assert.deepEqual(
    federated.map(({ jobId }) => jobId),
    [end.jobId],
  );

  // Pay is due once no dispute can change it. Stakes come free with it.
  const before = await Promise.all(market.providers.map(({ account }) => market.chain.getBalance(account)));
  await market.evm.increaseTime(601);
  // The gate may leave an honest provider out of a round, seldom of all.
  const sums = new Map<string, bigint>();
  for (const { providers } of rounds)
    for (const { account, pay } of providers)
      sums.set(account, (sums.get(account) ?? 0n) + BigInt(pay.amount));
  const job = await once(end.jobId, ({ members }) =>
    members.every(
      ({ account, standing, claimed }) =>
        standing === "released" && claimed === (sums.get(account.toLowerCase()) ?? 0n),
    ),
  );
  for (const { account, claimed } of job.members) assert.equal(claimed, sums.get(account.toLowerCase()));
  const paid = [...sums.values()].reduce((sum, one) => sum + one, 0n);
  assert.ok(paid <= (5n * ROUND * 98n) / 100n && paid > 5n * ((ROUND * 97n) / 100n));
  for (const [i, { account }] of market.providers.entries()) {
    while ((await reader.owedFederated(account, job.terms.token)) > 0n)
      await new Promise((done) => setTimeout(done, 50));
    const earns = sums.get(account.toLowerCase()) !== 0n;
    if (earns) assert.ok((await market.chain.getBalance(account)) > before[i]!, "more than its gas");
  }
  const collected = await market.ichain(["resume", end.jobId]);
  assert.equal(collected.collected, true);
  assert.equal((await reader.federatedJob(end.jobId as never)).closings.length, 5);

  // Each has the logs of its own runs, and the sum of what it got or paid.
  const whats = (logs: Record<string, unknown>[]) => logs.map(({ what }) => String(what));
  const measuring = whats(lines(await market.attempt(["logs", end.jobId])));
  assert.equal(measuring.filter((what) => /^round \d: measuring the updates$/.test(what)).length, 5);
  const [first] = market.providers;
  const trained = whats(lines(await market.attempt(["logs", end.jobId], first)));
  assert.deepEqual(trained.slice(0, 2), ["round 1: training", "round 2: training"]);
  type Earned = { role: string; paid: string; rounds: { closed: number; paid: number } };
  const earnings = async (as?: typeof first) =>
    ((await market.ichain(["earnings"], as)) as { federated: Earned[] }).federated[0]!;
  const theirs = await earnings(first);
  assert.deepEqual([theirs.role, BigInt(theirs.paid)], ["provider", sums.get(first!.account.toLowerCase())]);
  assert.ok(theirs.rounds.paid > 0 && theirs.rounds.closed === 5);
  assert.deepEqual(BigInt((await earnings()).paid), -paid);
});

test("killed parties go on, and a stop ends the job with its round", guard, async () => {
  // Long enough that the stop is asked in time on a slow machine.
  const folder = join(scratch, "long");
  await cp(join(example, ".."), folder, { recursive: true });
  const long = join(folder, "job.yaml");
  const text = await readFile(example, "utf8");
  await writeFile(long, text.replace("rounds: 5", "rounds: 60").replace("pool: 0.05", "pool: 0.6"));
  const child = market.launch(["submit", long, "--yes"]);
  const first = ended(child);
  let id = "";
  for await (const job of reader.watchFederated({ requester: market.requester.account })) {
    if (job.state !== "Running" || job.closings.length < 1) continue;
    id = job.id;
    break;
  }
  child.kill("SIGKILL");
  await market.killActor("provider-2");
  await first;
  await market.startActor("provider-2");
  const resumed = market.attempt(["resume", id]);
  await once(id, ({ closings }) => closings.length >= 2);
  const stopped = await market.ichain(["stop", id]);
  assert.equal(stopped.kind, "federated");
  const [end] = lines(await resumed).slice(-1) as [{ cause: string; rounds: number }];
  assert.equal(end.cause, "stopped");
  assert.ok(end.rounds >= 3 && end.rounds < 60, `${end.rounds} rounds`);
  // Each round was closed once, and by all that were there.
  const job = await reader.federatedJob(id as never);
  assert.deepEqual(
    job.closings.map(({ closing }) => closing.round),
    Array.from({ length: end.rounds }, (_, i) => i + 1),
  );
});

test(
  "a job that a program posts, paid in the six-decimals token, is led by the daemon without its silent provider, to the last of its price",
  guard,
  async () => {
    const folder = join(scratch, "short");
    await cp(join(example, ".."), folder, { recursive: true });
    const short = join(folder, "job.yaml");
    const text = await readFile(example, "utf8");
    await writeFile(
      short,
      text
        .replace("rounds: 5", "rounds: 4\n  token: tusd\n  silent: redeal\n  quorum: 0.7")
        .replace("pool: 0.05", "pool: 40.5"),
    );
    const refused = await market.attempt(["submit", short, "--yes", "--detach"]);
    assert.match(refused.stdout, /SERVE_NOT_RUNNING/);
    const daemon = market.launch(["serve"]);
    const over = ended(daemon);
    await new Promise<void>((resolve) =>
      daemon.stdout?.on("data", (text: Buffer) => String(text).includes("serving") && resolve()),
    );
    const tusd = market.network.tokens.tusd!;
    const token = new Contract(tusd, ["function balanceOf(address) view returns (uint256)"], market.chain);
    const holds = (account: string): Promise<bigint> => token.getFunction("balanceOf")(account);
    const held = new Map<string, bigint>();
    for (const { account } of market.providers) held.set(account, await holds(account));
    const { dir: home, passwordFile } = market.requester;
    const password = (await readFile(passwordFile, "utf8")).trim();
    await using client = await createClient({ home, password });
    const { jobId } = await client.submit(short);
    await once(jobId, ({ state }) => state === "Running");
    // It may have sent an update before. After two rounds without one its rows are the others'.
    await market.killActor("provider-4");
    const job = await once(jobId, ({ state }) => state === "Ended");
    assert.equal(job.cause, "completed");
    assert.deepEqual([job.terms.token, job.terms.roundPrice], [tusd, 10_125_000n]);
    await market.startActor("provider-4");
    await market.evm.increaseTime(601);
    await once(job.id, ({ members }) => members.every(({ standing }) => standing === "released"));
    for (const { account } of market.providers)
      while ((await reader.owedFederated(account, tusd)) > 0n)
        await new Promise((done) => setTimeout(done, 50));
    for (const { account, claimed } of (await reader.federatedJob(job.id)).members)
      assert.equal((await holds(account)) - held.get(account)!, claimed);
    const requester = market.requester.account;
    const ledger = await ledgerOf(job.id);
    const { earned } = ledger.at(-1) as { earned: [string, string][] };
    const uploads = ledger.flatMap((line) => {
      const { upload } = line as { upload?: { round: number; provider: string; data: string } };
      return upload ? [upload] : [];
    });
    const dealt = (round: number) =>
      new Map(uploads.filter((one) => one.round === round).map(({ provider, data }) => [provider, data]));
    const silent = market.providers[3]!.account.toLowerCase();
    const [began, finished] = [dealt(1), dealt(4)];
    assert.ok(!finished.has(silent) && finished.size >= 3, `${finished.size} updates in the last round`);
    for (const [provider, data] of finished)
      if (began.has(provider)) assert.notEqual(data, began.get(provider), "it has more rows");
    const own = earned.find(([account]) => account === requester.toLowerCase());
    assert.ok(BigInt(own![1]) > 0n);
    while ((await sentBy(requester, job.id)) === 0) await new Promise((done) => setTimeout(done, 50));
    daemon.kill("SIGTERM");
    await over;

    /** Transactions by which it claimed. */
    async function sentBy(account: string, id: string): Promise<number> {
      const claims = await market.chain.getLogs({
        address: market.network.contracts.federated!,
        topics: [null, id, `0x${account.slice(2).toLowerCase().padStart(64, "0")}`],
        fromBlock: 0,
      });
      return claims.filter(({ topics }) => topics[0] === claimed).length;
    }
    async function ledgerOf(id: string): Promise<unknown[]> {
      const { folder } = await client.get(id, { out: join(scratch, "detached") });
      const text = await readFile(join(folder, "job.ledger"), "utf8");
      return text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown);
    }
  },
);

/** What the example's task does in a job of distillation, in place of its last lines. */
const distils = `
def said(model, arrays):
    images = arrays["x"].reshape(len(arrays["x"]), -1).astype(np.float32) / 16
    hidden = np.maximum(0, images @ model["hidden.weight"] + model["hidden.bias"])
    return images, hidden, hidden @ model["output.weight"] + model["output.bias"]


def likely(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def distil(model, public, target, *, seed, epochs, batch, lr, schedule):
    for _ in range(20 * epochs):
        images, hidden, scores = said(model, public)
        error = (likely(scores) - likely(target)) / len(images)
        back = (error @ model["output.weight"].T) * (hidden > 0)
        model["output.weight"] -= lr * hidden.T @ error
        model["output.bias"] -= lr * error.sum(axis=0)
        model["hidden.weight"] -= lr * images.T @ back
        model["hidden.bias"] -= lr * back.sum(axis=0)
    return model


mode = ichain.mode()
if mode == ichain.MEASURE:
    ichain.measure(measure)
else:
    now = ichain.round()
    before = said(now.model, now.public)[2]
    if mode == ichain.WORK:
        model = train(now.model, now.part, seed=now.seed, **now.local)
        ichain.save_scores(said(model, now.public)[2], before)
    else:
        model = now.model
        if now.target is not None:
            model = distil(model, now.public, now.target, seed=now.seed, **now.local)
        ichain.save_model(model)
        ichain.save_scores(said(model, now.public)[2])
`;

test(
  "a model is distilled from what providers say of public rows, in an image of the bundle",
  guard,
  async () => {
    const folder = join(scratch, "distil");
    await cp(join(example, ".."), folder, { recursive: true });
    const path = join(folder, "job.yaml");
    const changes = [
      ["providers: 4", "providers: 2"],
      ["least: 3", "least: 2"],
      ["rounds: 5", "rounds: 2\n  public: { file: test.npz }"],
      ["strategy: gate", "strategy: distillation"],
      ["image: python-ml", "image: { dockerfile: Dockerfile }"],
      ["inputs: [task.py]", "inputs: [task.py, Dockerfile, words]"],
    ] as const;
    const text = await readFile(example, "utf8");
    await writeFile(
      path,
      changes.reduce((job, [from, to]) => job.replace(from, to), text),
    );
    const task = join(folder, "task.py");
    const [kept] = (await readFile(task, "utf8")).split("\nif ichain.mode()");
    await writeFile(task, `${kept}\nassert open("/srv/words").read() == "hello"\n${distils}`);
    await writeFile(join(folder, "words"), "hello");
    await writeFile(join(folder, "Dockerfile"), "FROM python-ml\nCOPY words /srv/words\n");
    scope.push(removeImages);
    const policy = join(market.dir, "policy.yaml");
    const usual = await readFile(policy, "utf8");
    await writeFile(policy, stringify({ ...parse(usual), bundledImages: { dockerfile: true } }));
    for (const provider of market.providers) await market.ichain(["reload"], provider);
    const printed = lines(await market.attempt(["submit", path, "--yes"]));
    const end = printed.at(-1) as { measured: { acc: number }; jobId: string };
    assert.ok(end.measured.acc > 0.5, `accuracy ${end.measured.acc}`);
    const { providers } = printed[0] as { providers: { accuracy: number; pay: { amount: string } }[] };
    assert.ok(providers.every(({ accuracy, pay }) => accuracy > 0.2 && BigInt(pay.amount) > 0n));
  },
);

/** Removes the images that the homes of this market built. */
function removeImages(): void {
  const docker = (...args: string[]) => spawnSync("docker", args, { encoding: "utf8" }).stdout;
  for (const { dir } of [market.requester, ...market.providers]) {
    const instance = createHash("sha256").update(dir).digest("hex").slice(0, 12);
    const ids = docker("images", "--filter", `label=ichain.origin=${instance}`, "-q").split("\n");
    for (const one of ids.filter(Boolean)) docker("rmi", "-f", one);
  }
}

test("providers train on data of their own, which stay with them", guard, async () => {
  const folder = join(scratch, "own");
  await cp(join(example, ".."), folder, { recursive: true });
  const own = join(folder, "job.yaml");
  const changes = [
    ["providers: 4", "providers: 2"],
    ["least: 3", "least: 2"],
    ["rounds: 5", "rounds: 2"],
    ["  train: { file: train.npz }\n", ""],
    ["data: { split: dirichlet 1 }", "data: { own: digits }"],
    ["strategy: gate", "strategy: root-cosine\n  share: left-out"],
  ] as const;
  const text = await readFile(example, "utf8");
  await writeFile(
    own,
    changes.reduce((job, [from, to]) => job.replace(from, to), text),
  );
  const task = join(folder, "task.py");
  const reads = 'train(now.model, now.part or np.load(now.data / "train.npz"), ';
  await writeFile(task, (await readFile(task, "utf8")).replace("train(now.model, now.part, ", reads));

  // Two of the four have such data, each in a folder of its own.
  const policy = join(market.dir, "policy.yaml");
  const usual = await readFile(policy, "utf8");
  for (const provider of market.providers.slice(0, 2)) {
    const data = await mkdtemp(join(scratch, "data-"));
    await chmod(data, 0o755);
    await cp(join(folder, "train.npz"), join(data, "train.npz"));
    await writeFile(policy, stringify({ ...parse(usual), federated: { data: { digits: data } } }));
    await market.ichain(["reload"], provider);
  }
  const { weaker } = await market.ichain(["quote", own]);
  assert.equal((weaker as string[]).length, 3);
  const out = join(scratch, "own-model");
  const [end] = lines(await market.attempt(["submit", own, "--yes", "-o", out])).slice(-1);
  assert.ok((end!.measured as { acc: number }).acc > 0.8, JSON.stringify(end));
  const { members } = await reader.federatedJob(end!.jobId as never);
  const having = market.providers.slice(0, 2).map(({ account }) => account.toLowerCase());
  assert.deepEqual(members.map(({ account }) => account.toLowerCase()).sort(), having.sort());
  // Their digests are salted: the same files are told apart.
  const uploads = (await readFile(join(out, "job.ledger"), "utf8"))
    .split("\n")
    .flatMap((line) => (line.includes('"upload":{') ? [JSON.parse(line).upload as { data: string }] : []));
  assert.equal(uploads.length, 4);
  assert.equal(new Set(uploads.map(({ data }) => data)).size, 2);
});
