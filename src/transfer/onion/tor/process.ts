import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onAbort } from "../../../async/abort.ts";
import { childEnvironment } from "../../../config.ts";
import { TorControl } from "../control/control.ts";
import { torGone, torMissing } from "../errors.ts";
import { shortFolder } from "./short-folder.ts";

export interface TorProcessOptions {
  /** The tor program; a name is looked up on the PATH. */
  readonly binary: string;
  /** Data folder of this process alone; created when absent, mode 0700. */
  readonly dir: string;
  /** Lines of configuration in addition to `ownLines`. */
  readonly torrc: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** A running tor that we own: it ends with this process, also when this process is killed. */
export interface TorProcess {
  readonly pid: number;
  readonly control: TorControl;
  /** Resolves with the last lines of its log once it has ended. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/** Milliseconds that a tor may take to end on SIGTERM before it is killed. */
const STOP_MS = 5_000;
/** Lines of tor's log that are kept. */
const LOG_LINES = 20;

/**
 * Starts tor with no configuration but ours and resolves once we own its control port. With `TAKEOWNERSHIP`
 * (control-spec, section 3.23) tor ends as soon as that connection does, even when we are killed;
 * `__OwningControllerProcess` covers the time before.
 * @throws TOR_MISSING; TOR_GONE with tor's last warnings; TOR_PROTOCOL, TOR_REFUSED; the signal's reason
 */
export async function startTorProcess(options: TorProcessOptions): Promise<TorProcess> {
  const { binary, dir, signal } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const sockets = await shortFolder(dir);
  const address = { socketPath: join(sockets.path, "control"), cookiePath: join(dir, "control_auth_cookie") };
  const torrc = join(dir, "torrc");
  await writeFile(torrc, `${[...ownLines(dir, address.socketPath), ...options.torrc].join("\n")}\n`, {
    mode: 0o600,
  });
  await rm(address.cookiePath, { force: true });
  signal?.throwIfAborted();

  const child = spawn(binary, ["--defaults-torrc", "/dev/null", "-f", torrc], {
    env: childEnvironment(),
    stdio: ["ignore", "pipe", "ignore"],
    // A process group of its own: Ctrl-C in a terminal signals this process alone, which then ends tor itself.
    detached: true,
  });
  const log: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const exited = new Promise<string>((resolve) => {
    child.once("close", () => void sockets.remove().then(() => resolve(log.join("\n"))));
  });
  const listening = new Promise<void>((resolve, reject) => {
    child.once("error", (error) => reject(torMissing(binary, error)));
    void exited.then((text) => reject(torGone(`it ended at once with "${lastWarnings(text)}"`)));
    lines.on("line", (line) => {
      log.push(line);
      if (log.length > LOG_LINES) log.shift();
      // The control socket opens earlier, but tor writes its cookie only when its main loop begins.
      if (line.includes("Bootstrapped 0%")) resolve();
    });
  });
  const kill = () => child.kill("SIGKILL");
  using _ = onAbort(signal, kill);
  try {
    await listening;
    const control = await TorControl.open(address, { signal });
    await control.command("TAKEOWNERSHIP", { signal });
    return { pid: child.pid!, control, exited, stop: () => stop(child, exited) };
  } catch (error) {
    kill();
    signal?.throwIfAborted();
    throw error;
  }
}

function ownLines(dir: string, controlSocket: string): string[] {
  return [
    `DataDirectory ${quoted(dir)}`,
    `ControlSocket ${controlSocket}`,
    "CookieAuthentication 1",
    `CookieAuthFile ${quoted(join(dir, "control_auth_cookie"))}`,
    `__OwningControllerProcess ${process.pid}`,
    "Log notice stdout",
    "SafeLogging 1",
    "AvoidDiskWrites 1",
  ];
}

/** A path as a torrc value, quoted: unquoted, a `#` begins a comment; inside quotes, a backslash or quote must be escaped. */
function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

async function stop(
  child: { kill(signal: NodeJS.Signals): boolean },
  exited: Promise<string>,
): Promise<void> {
  // SIGINT ends tor slowly when it is a relay; SIGTERM ends it at once in every case.
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await exited;
  clearTimeout(timer);
}

/** Tor's last two warnings: the fault, and that tor therefore ends. Without any, its last line. */
function lastWarnings(log: string): string {
  const lines = log.split("\n");
  const warnings = lines.filter((line) => /\[(err|warn)\]/.test(line)).slice(-2);
  return (warnings.length > 0 ? warnings : lines.slice(-1))
    .map((line) => line.replace(/^.*?\[\w+\] /, ""))
    .join(" ");
}
