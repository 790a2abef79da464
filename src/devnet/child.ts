import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { type Abortable, raceSignal } from "../async/abort.ts";
import { childEnvironment, type Environment } from "../config.ts";
import { IchainError } from "../errors/error.ts";

/** Time for a child to stop by itself after SIGTERM before it is killed. */
const STOP_MS = 15_000;

/** A JSON object that a child printed on a line of stdout. */
export type Line = Readonly<Record<string, unknown>>;

export interface Child {
  readonly name: string;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /**
   * The first line for which `wanted` holds, of those printed before too.
   * @throws CHILD_FAILED with the child's own error when it ends before
   */
  line(wanted: (line: Line) => boolean, options: Abortable): Promise<Line>;
  /** Sends SIGKILL, as a crash would end it. */
  kill(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

export interface ChildRequest {
  readonly name: string;
  /** Arguments for the `node` that runs this process. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** File that stderr is appended to. */
  readonly log: string;
}

/** Starts a Node program in a process group of its own, so that a terminal's Ctrl-C does not end it. */
export function startChild({ name, argv, env, log }: ChildRequest): Child {
  const process_ = spawn(process.execPath, argv, {
    env: { ...childEnvironment(env), ...compileCache() },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const sink = createWriteStream(log, { flags: "a", mode: 0o600 });
  process_.stderr.pipe(sink);
  process_.stdin.on("error", () => undefined);
  const lines: Line[] = [];
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of listeners) listener();
  };
  createInterface({ input: process_.stdout }).on("line", (text) => {
    if (text.startsWith("{")) lines.push(JSON.parse(text) as Line);
    notify();
  });
  const exited = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    process_.once("error", reject);
    process_.once("close", (code, signal) => resolve(code ?? signal ?? 1));
  });
  let over = false;
  exited
    .catch(() => undefined)
    .finally(() => {
      over = true;
      notify();
    });
  return {
    name,
    exited,
    async line(wanted, { signal }) {
      const { promise, resolve, reject } = Promise.withResolvers<Line>();
      const look = () => {
        const found = lines.find(wanted);
        if (found) resolve(found);
        else if (over) reject(failed(name, log, lines.at(-1)));
      };
      listeners.add(look);
      try {
        look();
        return await raceSignal(promise, signal);
      } finally {
        listeners.delete(look);
      }
    },
    kill: () => void process_.kill("SIGKILL"),
    async stop() {
      process_.kill("SIGTERM");
      const timer = setTimeout(() => process_.kill("SIGKILL"), STOP_MS);
      await exited.catch(() => undefined);
      clearTimeout(timer);
      sink.end();
      await finished(sink).catch(() => undefined);
    },
  };
}

function failed(name: string, log: string, last: Line | undefined): IchainError {
  const error = (last?.error ?? {}) as { message?: string; hint?: string; code?: string };
  return new IchainError("CHILD_FAILED", `The ${name} stopped${error.message ? `: ${error.message}` : "."}`, {
    hint: error.hint ?? `See its output in ${log}.`,
    details: { code: error.code, log },
  });
}

/** Lets a child keep its compiled code where this process does. */
function compileCache(): Record<string, string> {
  const own = getCompileCacheDir(); // a folder for this version of Node, in the one that was named
  return own === undefined ? {} : { NODE_COMPILE_CACHE: dirname(own) };
}
