import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Wallet } from "ethers";
import { stringify } from "yaml";
import { DEFAULT_POOL_STAKE, deploy, deployTestToken } from "../chain/deploy.ts";
import type { NetworkConfig } from "../config/network-schema.ts";
import type { WrittenConfig } from "../config/schema.ts";
import type { Reporter } from "../ports/reporter.ts";
import { type Child, startChild } from "./child.ts";
import { startEvm } from "./evm/evm.ts";
import { mineForDraws } from "./evm/mine-for-draws.ts";
import type { EvmClient, EvmNode } from "./evm/node.ts";
import { asOwnerOf, type Home, makeHome } from "./homes.ts";
import type { Misbehaviour } from "./misbehave.ts";
import type { FederatedMisbehaviour, SeatMisbehaviour } from "./misbehave-federated.ts";
import { startTorNetwork } from "./tor/network.ts";

export interface DevnetRequest {
  readonly providers: number;
  readonly validators: number;
  /** Homes with coin in which nothing runs. */
  readonly contributors?: number;
  /** How the first providers misbehave, one each. */
  readonly bad?: readonly (Misbehaviour | FederatedMisbehaviour)[] | undefined;
  /** How the first validators misbehave in federated jobs, one each. */
  readonly badValidators?: readonly (SeatMisbehaviour | undefined)[] | undefined;
  /** The first provider's policy.yaml; when absent that of all actors, the defaults with the test token. */
  readonly policy?: string | undefined;
  readonly transport?: "onion" | "direct";
  /** What every actor's config.yaml says besides network and transport. */
  readonly settings?: Partial<WrittenConfig>;
  /** Starts more nodes of the chain, given the first one's address: every actor asks all of them. */
  readonly moreNodes?: ((rpcUrl: string) => Promise<readonly string[]>) | undefined;
  readonly client?: EvmClient | undefined;
  /** Options of `node` for each actor's process, such as a module to import first. */
  readonly nodeOptions?: readonly string[] | undefined;
  /** Kept when given; else a temporary folder that `stop` removes. */
  readonly dir?: string | undefined;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

export interface Devnet {
  readonly dir: string;
  readonly network: NetworkConfig;
  readonly evm: EvmNode;
  readonly requester: Home;
  readonly providers: readonly Home[];
  readonly validators: readonly Home[];
  readonly contributors: readonly Home[];
  /** Ends an actor with SIGKILL, as a crash would. */
  killActor(name: string): Promise<void>;
  /** Starts an actor that was killed again, in the same home; resolves once it is ready. */
  startActor(name: string): Promise<void>;
  /** Idempotent; leaves no process behind. */
  stop(): Promise<void>;
}

/** Of the test token, whose six decimals make this a million. */
const TOKENS_EACH = 10n ** 12n;

/** What every actor takes; a test token counts as so little that few are needed for the examples. */
const POLICY = { tokens: ["coin", { token: "tusd", worth: "0.0005" }], maxCheckpoint: "64 MiB" };

/** Wei; enough for many jobs of the examples. A validator's is twice the pool's. */
const STAKES = { provider: 10n ** 18n, validator: 2n * DEFAULT_POOL_STAKE } as const;

/**
 * A whole market on this machine: chain, contracts, private Tor network, actors as processes.
 * @throws DEVNET_EVM_FAILED, TORNET_FAILED, CHILD_FAILED
 */
export async function startDevnet(request: DevnetRequest): Promise<Devnet> {
  const { signal, reporter, transport = "onion" } = request;
  await using stack = new AsyncDisposableStack();
  const dir = request.dir ?? (await mkdtemp(join(tmpdir(), "ichain-devnet-")));
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (!request.dir) stack.defer(() => rm(dir, { recursive: true, force: true }));
  const begin = (id: string, text: string) => reporter.emit({ kind: "start", id, text });
  const done = (id: string, text: string) => reporter.emit({ kind: "end", id, text });

  begin("evm", "Starting the chain and a private Tor network");
  const { providers, validators, contributors = 0 } = request;
  const accounts = 1 + providers + validators + contributors + 1;
  const [evm, tor] = await Promise.all([
    startEvm({ signal, accounts, client: request.client }).then((one) => stack.adopt(one, (it) => it.stop())),
    transport === "onion"
      ? startTorNetwork({ dir: join(dir, "tornet"), signal }).then((one) =>
          stack.adopt(one, (it) => it.stop()),
        )
      : undefined,
  ]);
  const [deployer, owner, ...others] = evm.accounts;
  if (!deployer || !owner) throw new RangeError("the devnet's chain has too few accounts");
  const deployOptions = { rpcUrl: evm.rpcUrl, wallet: new Wallet(deployer.privateKey), signal };
  const contracts = await deploy(deployOptions);
  const holders = evm.accounts.map(({ address }) => address);
  const tusd = await deployTestToken(deployOptions, holders, TOKENS_EACH);
  done("evm", `The chain and its contracts are up${tor ? ", and a private Tor network" : ""}`);

  const { federated, campaigns, improvements } = contracts;
  const drawing = [federated, campaigns, improvements].filter((one) => one !== undefined);
  if (request.validators > 0) {
    const mining = new AbortController();
    const mined = mineForDraws(evm.rpcUrl, drawing, mining);
    stack.defer(async () => {
      mining.abort();
      await mined;
    });
  }

  const network: NetworkConfig = {
    name: "devnet",
    chainId: evm.chainId,
    rpcUrl: evm.rpcUrl,
    contracts: {
      ...{ escrow: contracts.escrow, registry: contracts.registry, rating: contracts.rating },
      ...{ federated, campaigns, improvements },
    },
    tokens: { tusd },
    confirmations: 1,
    pollMs: 100,
    ...(tor ? { torrc: tor.networkTorrc } : {}),
  };
  await writeFile(join(dir, "network.yaml"), stringify(network), { mode: 0o600 });
  const rpcUrls = [...((await request.moreNodes?.(evm.rpcUrl)) ?? [])];
  const asked = rpcUrls.length === 0 ? network : { ...network, rpcUrls };
  const settings = { network: asked, transport, ...request.settings };
  const requester = await makeHome(dir, "requester", owner, settings);
  const numbered = (what: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${what}-${i + 1}`);
  const names = [
    ...numbered("provider", providers),
    ...numbered("validator", validators),
    ...numbered("contributor", contributors),
  ];
  const made = await Promise.all(names.map((name, i) => makeHome(dir, name, others[i]!, settings)));
  const homes = made.slice(0, providers + validators);
  const usualPolicy = join(dir, "policy.yaml");
  await writeFile(usualPolicy, stringify(POLICY), { mode: 0o600 });
  begin("actors", "Starting providers and validators");
  const actors = new Map<string, Child>();
  stack.defer(async () => void (await Promise.all([...actors.values()].map((actor) => actor.stop()))));
  const start = async (home: Home): Promise<void> => {
    const i = homes.indexOf(home);
    const policy = i === 0 && request.policy !== undefined ? request.policy : usualPolicy;
    const actor = spawnActor(dir, home, i < request.providers, {
      bad: i < request.providers ? request.bad?.[i] : request.badValidators?.[i - request.providers],
      ...{ policy, nodeOptions: request.nodeOptions ?? [] },
    });
    actors.set(home.name, actor);
    await actor.line((line) => line.event === "ready", { signal });
  };
  await Promise.all(homes.map(start));
  const many = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  done("actors", `Ready: ${many(request.providers, "provider")}, ${many(request.validators, "validator")}`);

  const running = stack.move();
  return {
    dir,
    network,
    evm,
    requester,
    providers: homes.slice(0, providers),
    validators: homes.slice(providers),
    contributors: made.slice(homes.length),
    async killActor(name) {
      const actor = actors.get(name);
      actor?.kill();
      await actor?.exited;
    },
    async startActor(name) {
      const home = homes.find((one) => one.name === name);
      if (home) await start(home);
    },
    stop: () => running.disposeAsync(),
  };
}

/** With this module's extension: the sources or the build. */
const script = fileURLToPath(new URL(`./actor${extname(import.meta.url)}`, import.meta.url));

function spawnActor(
  dir: string,
  home: Home,
  provider: boolean,
  {
    bad,
    policy,
    nodeOptions,
  }: {
    bad?: Misbehaviour | FederatedMisbehaviour | SeatMisbehaviour | undefined;
    policy: string;
    nodeOptions: readonly string[];
  },
): Child {
  const role = provider ? "provider" : "validator";
  const argv = [...nodeOptions, script, "--role", role, "--name", home.name, "--stake", String(STAKES[role])];
  return startChild({
    name: home.name,
    argv: [...argv, "--policy", policy, ...(bad ? ["--bad", bad] : [])],
    env: asOwnerOf(home),
    log: join(dir, `${home.name}.log`),
  });
}
