import { createHash, randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { SigningKey, Wallet } from "ethers";
import { requireKeystore } from "./account/keystore.ts";
import { readPassword } from "./account/password.ts";
import type { Abortable, AbortOptions } from "./async/abort.ts";
import type { Deployment } from "./chain/deploy.ts";
import type { IgniteOptions } from "./chain/deployment/ignite.ts";
import type { EngineKind } from "./config/choices.ts";
import { type Config, type NetworkConfig, requireNetwork } from "./config.ts";
import type { AppContext } from "./context.ts";
import type { Control } from "./control/control.ts";
import { type DaemonKind, daemonKinds } from "./control/messages.ts";
import type { NodeState } from "./doctor/check.ts";
import { isIchainError } from "./errors/error.ts";
import type { Tally } from "./metrics/tally.ts";
import type { Content } from "./ports/content.ts";
import type { PeerStore } from "./ports/gossip.ts";
import type { Journal } from "./ports/journal.ts";
import { type Logger, silentLogger } from "./ports/logger.ts";
import type { Market } from "./ports/market.ts";
import type { OwnerNotifier, OwnerProgram } from "./ports/notifier.ts";
import type { Keyring } from "./ports/parcels.ts";
import type { RuntimeImage, Sandbox } from "./ports/sandbox.ts";
import type { Blob, Transport } from "./ports/transport.ts";
import { COIN } from "./protocol/amounts.ts";
import type { Genesis } from "./protocol/gossip/genesis.ts";
import { type Address, type Hex, ZERO_ADDRESS } from "./protocol/ids.ts";
import type { RoleContext, ServerContext, WorkerContext } from "./roles/context.ts";
import type { RehearsalContext } from "./roles/rehearsal/rehearse.ts";
import type { Registry } from "./sandbox/registry.ts";
import type { KeyringSecret } from "./transfer/parcel/keyring/secret.ts";
import type { PieceLimits } from "./transfer/pieces/ports.ts";

/** The market for reading: asks for no password. Call `stop` when done. */
export function openReader(context: AppContext): Promise<Market> {
  return openMarket(context, undefined);
}

/** Checks other parties' keys without keys of one's own. */
export async function openKeyCheck(): Promise<Pick<Keyring, "check">> {
  const { readBoundCertificate } = await import("./transfer/parcel/keyring/binding.ts");
  return { check: async (party) => void (await readBoundCertificate(party)) };
}

/** Compares the contracts of a network with those of this release, as its node, or a quorum of its nodes, shows them. */
export async function openMarketCheck(): Promise<
  (network: NetworkConfig, options: AbortOptions) => Promise<void>
> {
  const [{ connectRpc }, { connectNodes }, { examineMarket }] = await Promise.all([
    import("./chain/rpc/rpc.ts"),
    import("./chain/rpc/nodes/nodes.ts"),
    import("./chain/deployment/examine.ts"),
  ]);
  return async (network, options) => {
    const { rpcUrl, rpcUrls, chainId } = network;
    const urls = [...new Set([rpcUrl, ...(rpcUrls ?? [])])];
    const rpc =
      urls.length === 1 ? connectRpc(rpcUrl) : connectNodes(urls, { chainId, warn: () => undefined });
    try {
      await examineMarket(rpc, network, options);
    } finally {
      rpc.close?.();
    }
  };
}

/**
 * Deploys the market with this home's wallet, or finds it deployed.
 * @throws DEPLOY_FAILED, DEPLOY_UNVERIFIED
 */
export async function deployMarket(
  { config, ui, signal }: AppContext,
  options: Omit<IgniteOptions, "wallet">,
): Promise<Deployment> {
  const json = await requireKeystore(config);
  const password = await readPassword({ source: config.password, prompts: ui.prompts });
  const [{ openWallet }, { ignite }] = await Promise.all([
    import("./chain/wallet.ts"),
    import("./chain/deployment/ignite.ts"),
  ]);
  return ignite({ ...options, wallet: await openWallet(json, password, { signal }) });
}

/** The state of each node of the configured network. */
export async function examineNodes({ config, signal }: AppContext): Promise<NodeState[]> {
  const { rpcUrl, rpcUrls, chainId } = requireNetwork(config);
  const { compareNodes } = await import("./chain/rpc/nodes/examine.ts");
  return compareNodes([...new Set([rpcUrl, ...(rpcUrls ?? [])])], chainId, { signal });
}

/**
 * Everything that a requester works with, started: wallet, market, keys, journal, transport. Disposing
 * stops it all, the newest first.
 * @throws HOME_MOVED, HOME_STALE
 */
export async function openRole(
  context: AppContext,
  logger: Logger = silentLogger,
): Promise<RoleContext & AsyncDisposable> {
  const { config, ui, signal } = context;
  requireNetwork(config);
  await using stack = new AsyncDisposableStack();
  const json = await requireKeystore(config);
  const password = await readPassword({ source: config.password, prompts: ui.prompts });
  const [{ openWallet }, { createKeyring }, { openKeyring }, { createParcels }] = await Promise.all([
    import("./chain/wallet.ts"),
    import("./transfer/parcel/keyring/create.ts"),
    import("./transfer/parcel/keyring/store.ts"),
    import("./transfer/parcel/parcels.ts"),
  ]);
  const wallet = await openWallet(json, password, { signal });
  const market = stack.adopt(await openMarket(context, wallet, logger), (one) => one.stop());
  const { refuseSecondHome } = await import("./backup/marks.ts");
  await refuseSecondHome(config.home, () => market.sentBy(market.account, "mined", { signal }));
  const budgets = await readBudgets(config);
  const jobsDir = join(config.home, "jobs");
  const journal = stack.adopt(await openKnownJournal(context, market, jobsDir), (one) => one.close());
  const [{ refuseLostKeyring }, { tidy }] = await Promise.all([
    import("./roles/repair/refuse.ts"),
    import("./roles/job/requester/result/tidy.ts"),
  ]);
  const [{ lockBudgets, lockJob }, { jobFolder }] = await Promise.all([
    import("./sqlite/lock.ts"),
    import("./roles/shared/job-folder.ts"),
  ]);
  const home = { market, account: market.account, jobsDir, journal };
  const secret = await openKeyring(config.paths.keyring, {
    passphrase: password,
    account: market.account,
    beforeFirst: () => refuseLostKeyring(home, config.paths.keyring, { signal }),
  });
  const keyring = createKeyring({ secret });
  const transport = stack.adopt(await makeTransport(config, secret, logger), (one) => one.stop());
  await transport.start({ signal });
  await tidy(home, config.keep);
  const started = stack.move();
  return {
    account: market.account,
    market,
    transport,
    parcels: createParcels({ keyring, compatibility: config.compatibility }),
    keyring,
    journal,
    reporter: ui.reporter,
    logger,
    jobsDir,
    budgets,
    lockBudgets: (options) => lockBudgets(config.home, options),
    content: {
      fetch: async (cid, path, options) => await (await openHomeContent(context)).fetch(cid, path, options),
    },
    sources: config.campaigns.sources,
    lockJob: (jobId, as = "requester") => lockJob(jobFolder(jobsDir, as, jobId).dir, jobId),
    sandbox: config.audit.check === "evaluate" ? await openSandbox(context) : undefined,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/**
 * What the owner lets this home lock in jobs, by token.
 * @throws TOKEN_NAME_UNKNOWN
 */
export async function readBudgets({
  budgets,
  network,
}: AppContext["config"]): Promise<RoleContext["budgets"]> {
  if (budgets.length === 0) return [];
  const { tokenAddress } = await import("./roles/tokens.ts");
  return budgets.map((budget) => ({
    token: budget.token === "coin" ? COIN.address : tokenAddress(budget.token, network?.tokens ?? {}),
    budget,
  }));
}

/**
 * The journal; a missing or empty one is refused when chain or disk show jobs of this account.
 * @throws JOURNAL_LOST
 */
async function openKnownJournal(
  { config, signal }: AppContext,
  market: Market,
  jobsDir: string,
): Promise<Journal> {
  const [{ openJournal }, { refuseLostJournal }] = await Promise.all([
    import("./journal/journal.ts"),
    import("./roles/repair/refuse.ts"),
  ]);
  const path = config.paths.journal;
  const refuse = () => refuseLostJournal({ market, account: market.account, jobsDir }, path, { signal });
  // Before a new file is made, which would be in the way of a backup.
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size === 0) await refuse();
  const journal = openJournal(path, { keep: config.keep, check: true });
  try {
    if (size !== 0 && journal.isEmpty()) await refuse();
    return journal;
  } catch (error) {
    journal.close();
    throw error;
  }
}

/**
 * What `ichain journal repair` works with: asks for no password, and locks daemons out.
 * @throws HOME_BUSY
 */
export async function openRepair(context: AppContext) {
  const { config } = context;
  requireNetwork(config);
  await using stack = new AsyncDisposableStack();
  const [{ lockHome }, { rebuildJournal }, { walletAddress }, { jobFolders }] = await Promise.all([
    import("./sqlite/lock.ts"),
    import("./journal/rebuild.ts"),
    import("./chain/wallet.ts"),
    import("./roles/repair/refuse.ts"),
  ]);
  const account = walletAddress(await requireKeystore(config));
  stack.use(lockHome(config.home));
  const market = stack.adopt(await openMarket(context, undefined), (one) => one.stop());
  const { journal, setAsideAs } = rebuildJournal(config.paths.journal);
  stack.defer(() => journal.close());
  const folders = await jobFolders(join(config.home, "jobs"));
  const started = stack.move();
  return {
    account,
    market,
    journal,
    setAsideAs,
    folders,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/**
 * What `ichain backup` writes of, while no daemon and no command acts in the home; asks for the wallet's password, and
 * for how many transactions the account has sent.
 * @throws HOME_BUSY, JOB_BUSY, HOME_MOVED, HOME_STALE
 */
export async function openForBackup(context: AppContext) {
  const { config, ui, signal } = context;
  await using stack = new AsyncDisposableStack();
  const [{ lockHome, lockJob }, { openWallet }, { jobFolders }] = await Promise.all([
    import("./sqlite/lock.ts"),
    import("./chain/wallet.ts"),
    import("./roles/repair/refuse.ts"),
  ]);
  const json = await requireKeystore(config);
  for (const kind of daemonKinds) stack.use(lockHome(config.home, kind));
  for (const folder of await jobFolders(join(config.home, "jobs"))) {
    stack.use(lockJob(folder, `0x${basename(folder)}`));
  }
  const password = await readPassword({ source: config.password, prompts: ui.prompts });
  const { address } = await openWallet(json, password, { signal });
  const market = stack.adopt(await openMarket(context, undefined), (one) => one.stop());
  const account = address as Address;
  const { refuseSecondHome } = await import("./backup/marks.ts");
  await refuseSecondHome(config.home, () => market.sentBy(account, "mined", { signal }));
  const sent = await market.sentBy(account, "pending", { signal });
  const { owner } = await market.ownership(account, { signal });
  const started = stack.move();
  return {
    password,
    account,
    owner,
    sent,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/**
 * Makes a keyring for the home's wallet.
 * @throws KEYRING_EXISTS
 */
export async function makeNewKeyring({ config, ui, signal }: AppContext): Promise<void> {
  const json = await requireKeystore(config);
  const password = await readPassword({ source: config.password, prompts: ui.prompts });
  const [{ openWallet }, { makeKeyring }] = await Promise.all([
    import("./chain/wallet.ts"),
    import("./transfer/parcel/keyring/store.ts"),
  ]);
  const { address } = await openWallet(json, password, { signal });
  await makeKeyring(config.paths.keyring, { passphrase: password, account: address as Address });
}

/** The journal alone, for reading: asks for no password. The caller closes it. */
export async function openRecords({ config }: Pick<AppContext, "config">): Promise<Journal> {
  const { openJournal } = await import("./journal/journal.ts");
  return openJournal(config.paths.journal, { check: true });
}

/**
 * The public data that this home keeps.
 * @throws CONTENT_IO
 */
export async function openHomeContent({ config }: Pick<AppContext, "config">): Promise<Content> {
  const { openContent } = await import("./content/content.ts");
  return openContent(join(config.home, "blocks"));
}

/** A gossip peer's store; `genesis` for a new one. The caller disposes of it. */
export async function openGossipStore(path: string, genesis?: Genesis): Promise<PeerStore> {
  const { openPeerStore } = await import("./gossip/store.ts");
  return openPeerStore(path, genesis);
}

/** A peer's chain as lines of a file, as it is in its store. */
export async function readPeerChain(path: string): Promise<string[]> {
  const { chainHeader } = await import("./protocol/gossip/chain/chain-file.ts");
  using store = await openGossipStore(path);
  return [JSON.stringify(chainHeader(store.genesis)), ...store.blocks()];
}

/** What a gossip peer works with; its transport is not started. */
export interface GossipParts {
  readonly key: SigningKey;
  readonly transport: Transport;
  /** Apart from that of the home's other daemons, which sweep their own. */
  readonly sandbox: Sandbox;
  readonly hashBlob: (path: string) => Promise<Blob>;
}

/** The parts of a gossip peer, whose account is the home's: neither market nor keyring. */
export async function openGossipParts(
  context: AppContext,
  logger: Logger = silentLogger,
): Promise<GossipParts> {
  const { config, ui, signal } = context;
  const json = await requireKeystore(config);
  const password = await readPassword({ source: config.password, prompts: ui.prompts });
  const [{ openWallet }, { clientPublicKey }, { plainBlob }, { gossipSecret }] = await Promise.all([
    import("./chain/wallet.ts"),
    import("./transfer/onion/identity.ts"),
    import("./transfer/pieces/hash-pieces.ts"),
    import("./roles/gossip/running/own-address.ts"),
  ]);
  const { signingKey: key } = await openWallet(json, password, { signal });
  const privateKey = gossipSecret(key, "onion");
  const onion = { privateKey, publicKey: clientPublicKey(privateKey) };
  // Strangers share one token: how many of them are heard is the peer's own to bound.
  const limits = { ...config.hosting, readerNotices: Number.POSITIVE_INFINITY };
  return {
    key,
    transport: await makeTransport(config, { onion }, logger, limits),
    sandbox: await openSandbox(context, { dir: join(config.home, "gossip", "sandbox") }),
    hashBlob: plainBlob,
  };
}

/** A requester with a sandbox: what leads a federated job measures its updates. */
export async function openLead(context: AppContext): Promise<WorkerContext & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const sandbox = await openSandbox(context);
  const role = stack.use(await openRole(context));
  const started = stack.move();
  return { ...role, sandbox, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

/** What a daemon is given: its reports go to its log and to those who follow it, and its owner's requests end it. */
export interface DaemonContext extends AppContext {
  readonly logger: Logger;
  readonly control: Control;
  readonly tally: Tally;
}

/**
 * Takes the home for a daemon, of which it runs one of each kind: its lock, its log, its control socket.
 * @throws HOME_BUSY, LOG_UNWRITABLE
 */
export async function openDaemon(
  context: AppContext,
  kind: DaemonKind,
): Promise<DaemonContext & AsyncDisposable> {
  const { config, signal, ui } = context;
  await using stack = new AsyncDisposableStack();
  const { lockHome } = await import("./sqlite/lock.ts");
  // First of all: the other daemon's containers must not be swept, and its log and its socket are its own.
  stack.use(lockHome(config.home, kind));
  const [{ openLogger }, { loggingReporter }, { openControl }, { createTally }] = await Promise.all([
    import("./log/logger.ts"),
    import("./log/reporter.ts"),
    import("./control/control.ts"),
    import("./metrics/tally.ts"),
  ]);
  // A log has one writer, and a home may run a daemon of each kind.
  const logs = dirname(config.log.file);
  const files = { worker: config.log.file, server: join(logs, "serve.log"), peer: join(logs, "gossip.log") };
  const file = files[kind];
  const logger = stack.use(await openLogger({ ...config.log, file }));
  const tally = createTally();
  const reporter = tally.tap(loggingReporter(ui.reporter, logger));
  const control = stack.use(await openControl({ home: config.home, kind }, { reporter, signal }));
  const started = stack.move();
  return {
    config,
    signal: control.signal,
    ui: { ...ui, reporter: control.reporter },
    logger,
    control,
    tally,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** By what a daemon reaches its owner. */
interface OwnerTies {
  readonly notifier: OwnerNotifier;
  /** Votes in panels of data campaigns for the owner. */
  readonly judge: OwnerProgram | undefined;
}

/** The same with a sandbox: for `provide` and `validate`. */
export async function openWorker(
  daemon: DaemonContext,
  options: { engine?: EngineKind | undefined } = {},
): Promise<WorkerContext & OwnerTies & AsyncDisposable> {
  const { config, logger } = daemon;
  await using stack = new AsyncDisposableStack();
  const sandbox = await openSandbox(daemon, options);
  await sandbox.probe({ signal: daemon.signal });
  const role = stack.use(await openRole(daemon, logger));
  const notifier = await openNotifier(stack, config, { account: role.account, logger });
  const { judge: command } = config.campaigns;
  const judge = command && (await import("./notify/judge.ts")).programJudge(command, logger);
  const started = stack.move();
  return { ...role, sandbox, notifier, judge, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

/** The notifier, and with `through: tor` its tor, which starts with the first notification. */
async function openNotifier(
  stack: AsyncDisposableStack,
  config: Config,
  told: { readonly account: Address; readonly logger: Logger },
): Promise<OwnerNotifier> {
  const { createNotifier } = await import("./notify/notifier.ts");
  if (config.notify.through === "direct") return stack.use(createNotifier(config.notify, told));
  const { openTorClient } = await import("./transfer/onion/tor-client.ts");
  const { binary: torBinary, networkTorrc } = config.tor;
  const tor = stack.use(openTorClient({ dataDir: config.paths.tor, torBinary, networkTorrc }));
  return stack.use(createNotifier(config.notify, { ...told, proxy: tor.socks }));
}

/** What `ichain serve` works with. */
export async function openServer(daemon: DaemonContext): Promise<ServerContext & AsyncDisposable> {
  const { config, logger } = daemon;
  await using stack = new AsyncDisposableStack();
  const role = stack.use(await openRole(daemon, logger));
  const notifier = await openNotifier(stack, config, { account: role.account, logger });
  const started = stack.move();
  return { ...role, notifier, audit: config.audit, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

/** True while `ichain serve` takes jobs of this home. */
export async function isServed({ config, signal }: Pick<AppContext, "config" | "signal">): Promise<boolean> {
  const [{ isAtWork }, { reachDaemon }] = await Promise.all([
    import("./sqlite/lock.ts"),
    import("./control/reach.ts"),
  ]);
  if (!isAtWork(config.home, "server")) return false;
  using daemon = await reachDaemon(config.home, "server", { signal });
  const { state } = (await daemon?.ask("status").catch(() => undefined)) ?? {};
  return state !== "draining" && state !== "stopping";
}

/** The kinds of daemon that work in this home, as their locks tell. */
export async function lockedKinds({ config }: Pick<AppContext, "config">): Promise<DaemonKind[]> {
  const { isAtWork } = await import("./sqlite/lock.ts");
  return daemonKinds.filter((kind) => isAtWork(config.home, kind));
}

/**
 * What `ichain run --local` works with, in a private folder of its own: keys that are drawn now, a sandbox apart from
 * the daemons', no chain and no wallet. What an earlier one left behind, killed, is removed.
 */
export async function openRehearsal(
  context: AppContext,
): Promise<RehearsalContext & { readonly dir: string; readonly key: Hex } & AsyncDisposable> {
  const { signal } = context;
  const [{ lockJob }, { rehearsalRuns }, { generateKeyring }, { createKeyring }, { createParcels }] =
    await Promise.all([
      import("./sqlite/lock.ts"),
      import("./roles/rehearsal/rehearse.ts"),
      import("./transfer/parcel/keyring/secret.ts"),
      import("./transfer/parcel/keyring/create.ts"),
      import("./transfer/parcel/parcels.ts"),
    ]);
  await using stack = new AsyncDisposableStack();
  const root = join(context.config.home, "local");
  const sandbox = await openSandbox(context, { dir: join(root, "sandbox") });
  const runsDir = join(root, "runs");
  const busy: string[] = [];
  for (const name of await readdir(runsDir).catch(() => [])) {
    try {
      lockJob(join(runsDir, name), name)[Symbol.dispose]();
      await rm(join(runsDir, name), { recursive: true, force: true });
    } catch (error) {
      if (!isIchainError(error, "JOB_BUSY")) throw error;
      busy.push(...rehearsalRuns(name as Hex));
    }
  }
  const key: Hex = `0x${randomBytes(32).toString("hex")}`;
  const dir = join(runsDir, key);
  const lock = lockJob(dir, key);
  stack.defer(async () => {
    lock[Symbol.dispose]();
    await rm(dir, { recursive: true, force: true });
  });
  await sandbox.sweep(new Set(busy), { signal });
  // No other party sees what these keys sign.
  const keyring = createKeyring({ secret: await generateKeyring(ZERO_ADDRESS) });
  const started = stack.move();
  return {
    sandbox,
    parcels: createParcels({ keyring }),
    dir,
    key,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/**
 * What `ichain benchmark` works with, while no daemon of this home keeps the machine busy.
 * @throws HOME_BUSY
 */
export async function openBenchmark(
  context: AppContext,
): Promise<{ readonly sandbox: Sandbox; readonly dir: string } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { lockHome } = await import("./sqlite/lock.ts");
  stack.use(lockHome(context.config.home));
  const root = join(context.config.home, "benchmark");
  const sandbox = await openSandbox(context, { dir: join(root, "sandbox") });
  const started = stack.move();
  return { sandbox, dir: join(root, "in"), [Symbol.asyncDispose]: () => started.disposeAsync() };
}

export async function openSandbox(
  { config }: AppContext,
  {
    engine = config.engine,
    dir = join(config.home, "sandbox"),
  }: { engine?: EngineKind | undefined; dir?: string } = {},
): Promise<Sandbox> {
  const { leastTier, gpu, ...ceiling } = config.sandbox;
  // Two homes on one engine must not sweep each other's containers.
  const owner = dir === join(config.home, "sandbox") ? config.home : dir;
  const common = {
    stateDir: dir,
    instance: createHash("sha256").update(owner).digest("hex").slice(0, 12),
    ceiling,
    leastTier,
    gpu,
  };
  if (engine === "pool") {
    const [{ createPool }, { readPool }] = await Promise.all([
      import("./sandbox/pool.ts"),
      import("./config/pool.ts"),
    ]);
    return createPool({ ...common, engines: await readPool(config.pool) });
  }
  const { createSandbox } = await import("./sandbox/sandbox.ts");
  const { socketPath } = config.docker;
  if (engine === "local") return createSandbox({ ...common, socketPath });
  if (engine === "kubernetes") {
    const { openKubernetes } = await import("./sandbox/engines/kubernetes/open.ts");
    return createSandbox({ ...common, shared: true, engine: openKubernetes(config.kubernetes) });
  }
  const { swarmEngine } = await import("./sandbox/engines/swarm/swarm.ts");
  const { shared } = config.swarm;
  return createSandbox({ ...common, shared, engine: swarmEngine({ socketPath, ...config.swarm }) });
}

/** The runtime images of this machine's engine, by the recipes that come with ichain and those of its owner. */
export interface Runtimes {
  names(): Promise<string[]>;
  find(name: string, options: Abortable): Promise<{ digest: string; bytes: number } | undefined>;
  build(name: string, options: Abortable & { onLog(line: string): void }): Promise<RuntimeImage>;
  check(
    name: string,
    options: Abortable,
  ): Promise<{
    state: "ready" | "absent" | "stale" | "refused";
    digest: string | undefined;
    bytes: number | undefined;
  }>;
  /** The digest that a fresh build has. */
  rebuild(name: string, options: Abortable): Promise<string>;
}

export async function openRuntimes({ config }: AppContext): Promise<Runtimes> {
  const [
    { dockerEngine },
    { buildRuntime, findRuntime },
    { checkRuntime },
    { rebuiltDigest },
    { recipeNames },
  ] = await Promise.all([
    import("./sandbox/engines/docker.ts"),
    import("./sandbox/runtimes/build.ts"),
    import("./sandbox/runtimes/check.ts"),
    import("./sandbox/runtimes/rebuild.ts"),
    import("./sandbox/runtimes/find-recipe.ts"),
  ]);
  const engine = dockerEngine({ socketPath: config.docker.socketPath });
  const folders = { recipes: config.recipes };
  return {
    names: () => recipeNames(folders),
    find: (name, options) => findRuntime(engine, name, options),
    build: (name, options) => buildRuntime(engine, name, { ...options, ...folders }),
    check: (name, options) => checkRuntime(engine, name, { ...options, ...folders }),
    rebuild: (name, options) => rebuiltDigest(name, { ...options, ...folders }),
  };
}

/** Registries of images, as this machine's Docker engine reaches them. */
export async function openImageRegistry({ config }: AppContext): Promise<Registry> {
  const { openRegistry } = await import("./sandbox/registry.ts");
  return openRegistry({ socketPath: config.docker.socketPath });
}

async function openMarket(
  { config, ui, signal }: AppContext,
  wallet: Wallet | undefined,
  logger: Logger = silentLogger,
): Promise<Market> {
  const { rpcUrl, rpcUrls, chainId, contracts, confirmations, pollMs, dataFee } = requireNetwork(config);
  const [{ createMarket }, { warningText }] = await Promise.all([
    import("./chain/market.ts"),
    import("./chain/warnings.ts"),
  ]);
  const market = createMarket({
    rpcUrl,
    rpcUrls,
    chainId,
    addresses: contracts,
    database: config.paths.index,
    onDamage: (aside) =>
      ui.reporter.emit({
        kind: "warn",
        text: `The index was damaged: it is set aside as ${aside} and read from the chain again.`,
      }),
    confirmations,
    pollMs,
    dataFee,
    wallet,
    logger,
    fees: { max: BigInt(Math.round(config.fees.maxGwei * 1e9)), timesMedian: config.fees.timesMedian },
    // A development chain's time is moved at will.
    warn: (warning) => {
      if (chainId === 31337 && warning.kind === "clock-differs") return;
      ui.reporter.emit({ kind: "warn", text: warningText(warning) });
    },
  });
  await market.start({ signal });
  return market;
}

async function makeTransport(
  config: Config,
  secret: Pick<KeyringSecret, "onion">,
  logger: Logger,
  limits: Partial<PieceLimits> = config.hosting,
): Promise<Transport> {
  if (config.transport === "direct") {
    const { createDirectTransport } = await import("./transfer/direct/direct-transport.ts");
    const { address: listenHost, networks } = config.direct;
    return createDirectTransport({ listenHost, networks, limits });
  }
  const { createOnionTransport } = await import("./transfer/onion/transport.ts");
  return createOnionTransport({
    dataDir: config.paths.tor,
    torBinary: config.tor.binary,
    networkTorrc: config.tor.networkTorrc,
    clientKey: secret.onion,
    limits,
    // The address is part of a locator: its beginning tells hostings apart and leads nowhere.
    onNote: (note, address) => {
      const level = note === "unreachable" ? "warn" : "info";
      logger[level](hostingTexts[note], { hosting: address.slice(0, 8) });
    },
  });
}

const hostingTexts = {
  unreachable: "A hosting cannot be reached through Tor",
  republished: "The hosting was published again",
  restarted: "The tor of the hosting was restarted",
  recovered: "The hosting can be reached again",
} as const;
