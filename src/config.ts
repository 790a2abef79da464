import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { NetworkConfig } from "./config/network-schema.ts";
import type { FileConfig } from "./config/schema.ts";
import { IchainError } from "./errors/error.ts";

export type { NetworkConfig } from "./config/network-schema.ts";

/** Every environment variable that ichain reads; nothing else of the environment counts. */
export const environmentTable = {
  ICHAIN_HOME: "folder of the configuration and all data; ~/.config/ichain when unset",
  ICHAIN_NETWORK: "network to use: a file, or a name in the home folder's networks/",
  ICHAIN_RPC_URL: "the chain's JSON-RPC address, or several with commas, instead of the network's own",
  ICHAIN_PASSWORD: "the wallet's password",
  ICHAIN_PASSWORD_FILE: "file whose first line is the wallet's password",
  ICHAIN_TOR: "the tor program; found on the PATH when unset",
  DOCKER_HOST: "the Docker engine's socket, unix:///var/run/docker.sock when unset",
  ICHAIN_LOG_LEVEL: "how much a daemon logs: error, warn, info or debug; log.level of config.yaml when unset",
  ICHAIN_DEBUG: "when set, errors are printed with their causes and stacks",
  CI: "when set, nothing is asked and progress is plain lines",
  NO_COLOR: "when set, no colours",
} as const;

export type Environment = Readonly<Partial<Record<keyof typeof environmentTable, string>>>;

/** The variables of the table that are set and not empty. */
export function environment(source: NodeJS.ProcessEnv = process.env): Environment {
  const known = Object.keys(environmentTable).filter((name) => (source[name] ?? "") !== "");
  return Object.fromEntries(known.map((name) => [name, source[name]]));
}

/**
 * What a program that ichain starts (tor, ssh, Node) needs to find its files, the ssh agent and its locale. Everything
 * else is withheld: it may hold passwords and tokens, as a proxy's address can.
 */
const inherited = [
  ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TERM", "TZ", "LANG", "LANGUAGE"],
  ["LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"],
  ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"],
  ["LD_LIBRARY_PATH", "SSH_AUTH_SOCK", "KRB5CCNAME", "SSL_CERT_DIR", "SSL_CERT_FILE"],
  ["NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "CI", "NO_COLOR", "DOCKER_HOST"],
].flat();

/** The environment for a process that ichain starts: what `inherited` lists, and `own`. */
export function childEnvironment(own: Environment = {}): Record<string, string> {
  const known = inherited.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...(Object.fromEntries(known) as Record<string, string>), ...own };
}

/** The environment for npm: beside that, what of npm's own settings is in it, such as the registry it asks. */
export function npmEnvironment(): Record<string, string> {
  const settings = Object.entries(process.env).filter(([name]) => /^npm_config_/i.test(name));
  return childEnvironment(Object.fromEntries(settings));
}

/**
 * Reads the environment and removes the password from it: libraries start programs too (such as the credential plugin of
 * a kubeconfig), and pass all of it on.
 */
function takeEnvironment(): Environment {
  const found = environment();
  delete process.env.ICHAIN_PASSWORD;
  return found;
}

export type PasswordSource =
  /** A function, so that printing the configuration shows no secret. */
  | { readonly from: "environment"; readonly reveal: () => string }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "prompt" };

export interface Config {
  /** Absolute; everything ichain keeps lies below it. */
  readonly home: string;
  readonly paths: {
    readonly config: string;
    readonly journal: string;
    readonly index: string;
    readonly keystore: string;
    readonly keyring: string;
    readonly parcels: string;
    readonly tor: string;
    readonly networks: string;
  };
  readonly role: FileConfig["role"];
  readonly audit: FileConfig["audit"];
  readonly avoid: FileConfig["avoid"];
  readonly budgets: FileConfig["budgets"];
  /** Undefined until a network is chosen; see `requireNetwork`. */
  readonly network: NetworkConfig | undefined;
  readonly fees: FileConfig["fees"];
  readonly transport: "onion" | "direct";
  readonly direct: FileConfig["direct"];
  /** `gpg`: parcels in the compatibility profile (docs/protocol.md). */
  readonly compatibility: FileConfig["compatibility"];
  readonly hosting: FileConfig["hosting"];
  readonly keep: FileConfig["keep"];
  readonly disk: FileConfig["disk"];
  readonly notify: FileConfig["notify"];
  readonly campaigns: FileConfig["campaigns"];
  readonly metrics: FileConfig["metrics"];
  readonly log: {
    readonly level: FileConfig["log"]["level"];
    /** Absolute. */
    readonly file: string;
  };
  readonly tor: {
    readonly binary: string;
    /** torrc lines that lead tor to a private network, or a path to a file of them. */
    readonly networkTorrc: string | undefined;
  };
  readonly docker: {
    /** Absolute path of the engine's unix socket. */
    readonly socketPath: string;
  };
  /** Absolute folders of the owner's own runtime recipes. */
  readonly recipes: readonly string[];
  readonly engine: FileConfig["engine"];
  readonly swarm: FileConfig["swarm"];
  readonly pool: FileConfig["pool"];
  readonly kubernetes: FileConfig["kubernetes"];
  readonly sandbox: FileConfig["sandbox"];
  readonly password: PasswordSource;
  readonly ci: boolean;
}

export interface ConfigRequest {
  /** `--config`; must exist when given. */
  readonly file?: string | undefined;
  readonly env?: Environment;
}

/**
 * Resolves flags, environment and config.yaml once; the result is frozen.
 * @throws CONFIG_INVALID, CONFIG_MISSING, NETWORK_UNKNOWN
 */
export async function loadConfig(request: ConfigRequest = {}): Promise<Config> {
  const env = request.env ?? takeEnvironment();
  const home = resolve(env.ICHAIN_HOME ?? join(homedir(), ".config", "ichain"));
  const { readConfigFile, readLogLevel, readNetwork } = await import("./config/file.ts");
  const path = resolve(request.file ?? join(home, "config.yaml"));
  const file = await readConfigFile(path, { required: request.file !== undefined });
  const networks = join(home, "networks");
  const network = await readNetwork(env.ICHAIN_NETWORK ?? file.network, {
    networks,
    rpcUrl: env.ICHAIN_RPC_URL,
  });
  return freeze({
    home,
    paths: {
      config: path,
      journal: join(home, "journal.db"),
      index: join(home, "index.db"),
      keystore: join(home, "keystore.json"),
      keyring: join(home, "keyring"),
      parcels: join(home, "parcels"),
      tor: join(home, "tor"),
      networks,
    },
    role: file.role,
    audit: file.audit,
    avoid: file.avoid,
    budgets: file.budgets,
    network,
    fees: file.fees,
    transport: file.transport,
    direct: file.direct,
    compatibility: file.compatibility,
    hosting: file.hosting,
    keep: file.keep,
    disk: file.disk,
    notify: file.notify,
    campaigns: file.campaigns,
    metrics: file.metrics,
    log: {
      level: readLogLevel(env.ICHAIN_LOG_LEVEL) ?? file.log.level,
      file: resolve(home, file.log.file),
    },
    tor: {
      binary: env.ICHAIN_TOR ?? file.tor.binary,
      networkTorrc: file.tor.networkTorrc ?? network?.torrc,
    },
    docker: { socketPath: file.docker.socketPath ?? socketPath(env.DOCKER_HOST) },
    recipes: file.recipes.map((folder) => resolve(home, folder)),
    engine: file.engine,
    swarm: file.swarm,
    pool: file.pool,
    kubernetes: file.kubernetes,
    sandbox: file.sandbox,
    password: passwordSource(env),
    ci: env.CI !== undefined,
  });
}

/** @throws NO_NETWORK when none is chosen */
export function requireNetwork(config: Config): NetworkConfig {
  if (config.network) return config.network;
  throw new IchainError("NO_NETWORK", "No network is configured.");
}

function socketPath(dockerHost: string | undefined): string {
  if (dockerHost === undefined) return "/var/run/docker.sock";
  if (dockerHost.startsWith("unix://")) return dockerHost.slice("unix://".length);
  throw new IchainError("CONFIG_INVALID", `DOCKER_HOST names "${dockerHost}", which is no unix socket.`, {
    hint: "Set DOCKER_HOST to unix:///path/to/docker.sock, or unset it.",
  });
}

function passwordSource(env: Environment): PasswordSource {
  const { ICHAIN_PASSWORD: password, ICHAIN_PASSWORD_FILE: path } = env;
  if (password !== undefined) return { from: "environment", reveal: () => password };
  return path === undefined ? { from: "prompt" } : { from: "file", path: resolve(path) };
}

function freeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const child of Object.values(value)) freeze(child);
  return Object.freeze(value);
}
