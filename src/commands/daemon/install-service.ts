import { stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { requireKeystore } from "../../account/keystore.ts";
import { readPassword } from "../../account/password.ts";
import { type Config, type Environment, environment, requireNetwork } from "../../config.ts";
import { loadPolicy, type WorkOptions } from "../../daemon/work.ts";
import { IchainError } from "../../errors/error.ts";
import { coinText } from "../../protocol/amounts.ts";
import { installUnit, nextCommands, unitPath } from "../../service/install.ts";
import { type ServiceCommand, type ServiceSettings, serviceUnit } from "../../service/unit.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** What `provide`, `validate` and `serve` take for their service. */
export interface ServiceOptions {
  readonly installService?: true;
  readonly print?: true;
  readonly force?: true;
}

type DaemonOptions = ServiceOptions & Partial<WorkOptions> & { readonly validate?: true };

/**
 * Writes a systemd unit that runs this command, or prints it, where its options ask for that; true where they do.
 * @throws SERVICE_EXISTS, SERVICE_NO_PASSWORD, SERVICE_UNWRITABLE, and what would keep the daemon from starting
 */
export async function asService(
  context: CommandContext,
  command: ServiceCommand,
  options: DaemonOptions,
): Promise<boolean> {
  const { installService, print = false, force = false } = options;
  if (!installService) {
    if (!print && !force) return false;
    throw new IchainError("USAGE", "--print and --force are of use with --install-service alone.");
  }
  await refuseUnready(context, options);
  const settings = serviceSettings(context.config, command, options, {
    env: environment(),
    isRoot: process.getuid?.() === 0,
  });
  const [unit, path] = [serviceUnit(settings), unitPath(settings)];
  const state = print ? "printed" : await installUnit(path, unit, { force });
  const next = nextCommands(settings);
  context.ui.print({ event: "service", path, state, unit, next }, () => {
    if (print) return `# ${path}\n${unit}`;
    const done = state === "written" ? `Written: ${path}` : `It is there already: ${path}`;
    return `${done}\nNow run:\n${next.map((line) => `    ${line}`).join("\n")}`;
  });
  return true;
}

/** Finds now what a service would end with at its start, where nobody looks. */
async function refuseUnready({ config, ui }: CommandContext, { policy }: DaemonOptions): Promise<void> {
  requireNetwork(config);
  await requireKeystore(config);
  await loadPolicy(policy);
  if (config.password.from !== "file") {
    throw new IchainError("SERVICE_NO_PASSWORD", "A service has no terminal to ask for the password at.");
  }
  await readPassword({ source: config.password, prompts: ui.prompts });
  const { path } = config.password;
  if (((await stat(path)).mode & 0o077) === 0) return;
  ui.reporter.emit({ kind: "warn", text: `Other users may read the password: chmod 600 ${path}` });
}

/**
 * How the service manager runs this command as it was called here.
 * @throws SANDBOX_UNSUPPORTED, SERVICE_ENVIRONMENT
 */
export function serviceSettings(
  config: Config,
  command: ServiceCommand,
  options: DaemonOptions,
  { env, isRoot }: { readonly env: Environment; readonly isRoot: boolean },
): ServiceSettings {
  const { home, paths, log, password } = config;
  const engine = options.engine ?? config.engine;
  // A requester's daemon needs a sandbox where it evaluates results itself.
  const runsTasks = command !== "serve" || config.audit.check === "evaluate";
  const here = runsTasks && usesLocalEngine(config, engine);
  if (here && !isRoot && command !== "serve") {
    throw new IchainError("SANDBOX_UNSUPPORTED", "Tasks on this machine's Docker need a daemon of root's.", {
      hint: "Install the service as root, or choose an engine elsewhere (docs/engines.md).",
    });
  }
  return {
    command,
    manager: isRoot ? "system" : "user",
    program: [process.execPath, fileURLToPath(new URL("../../../bin/ichain.js", import.meta.url))],
    globals: paths.config === join(home, "config.yaml") ? [] : ["--config", paths.config],
    args: command === "serve" ? [] : commandLine(options),
    home,
    writes: [dirname(log.file)].filter((folder) => relative(home, folder).startsWith("..")),
    passwordFile: password.from === "file" ? password.path : "",
    environment: carried(env),
    // Where the daemon is not root's it mounts nothing.
    mountsDisks: here && isRoot,
    needsDocker: runsTasks && (engine === "swarm" || here),
  };
}

/** True where a container engine of this machine is given the folders of tasks. */
function usesLocalEngine({ pool, swarm }: Config, engine: Config["engine"]): boolean {
  if (engine === "swarm") return !swarm.shared;
  if (engine === "pool") return pool.some(({ url }) => url.startsWith("unix://"));
  return engine === "local";
}

function commandLine({ policy, stake, engine, name, validate }: DaemonOptions): string[] {
  return [
    ...(policy === undefined ? [] : ["--policy", resolve(policy)]),
    ...(stake === undefined ? [] : ["--stake", coinText(stake)]),
    ...(engine === undefined ? [] : ["--engine", engine]),
    ...(name === undefined ? [] : [`--name=${name}`]),
    ...(validate ? ["--validate"] : []),
  ];
}

/** @throws SERVICE_ENVIRONMENT */
function carried({ ICHAIN_NETWORK, ICHAIN_RPC_URL, ICHAIN_TOR, ICHAIN_LOG_LEVEL, DOCKER_HOST }: Environment) {
  if (ICHAIN_RPC_URL !== undefined) {
    throw new IchainError("SERVICE_ENVIRONMENT", "ICHAIN_RPC_URL is set, and may hold a key.");
  }
  // A network's name has neither a slash nor a dot.
  const network = ICHAIN_NETWORK && /[/.]/.test(ICHAIN_NETWORK) ? resolve(ICHAIN_NETWORK) : ICHAIN_NETWORK;
  const all = { ICHAIN_NETWORK: network, ICHAIN_TOR, ICHAIN_LOG_LEVEL, DOCKER_HOST };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
