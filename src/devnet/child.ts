import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import type { Abortable } from "../async/abort.ts";
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
  /** The first line for which `wanted` holds; throws `CHILD_FAILED` with what the child said when it ends before. */
  line(wanted: (line: Line) => boolean, options: Abortable): Promise<Line>;
  /** Ends it as a crash would. */
  kill(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

export interface ChildRequest {
  readonly name: string;
  /** Arguments for this very `node`. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** File that stderr is appended to. */
  readonly log: string;
}

/** Starts a program of ours in a process group of its own, so that a terminal's Ctrl-C reaches us alone. */
export function startChild({ name, argv, env, log }: ChildRequest): Child {
  const process_ = spawn(process.execPath, argv, {
    env: childEnvironment(env),
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const sink = createWriteStream(log, { flags: "a", mode: 0o600 });
  process_.stderr.pipe(sink);
  process_.stdin.on("error", () => undefined);
  const said: Line[] = [];
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  createInterface({ input: process_.stdout }).on("line", (text) => {
    if (text.startsWith("{")) said.push(JSON.parse(text) as Line);
    tell();
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
      tell();
    });
  return {
    name,
    exited,
    line: (wanted, { signal }) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = said.find(wanted);
          if (!found && !over && !signal.aborted) return;
          listeners.delete(look);
          signal.removeEventListener("abort", look);
          if (found) resolve(found);
          else reject(signal.aborted ? signal.reason : failed(name, log, said.at(-1)));
        };
        listeners.add(look);
        signal.addEventListener("abort", look);
        look();
      }),
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
  return new IchainError(`The ${name} stopped${error.message ? `: ${error.message}` : "."}`, {
    code: "CHILD_FAILED",
    class: "unavailable",
    hint: error.hint ?? `See ${log} for what it said.`,
    details: { code: error.code, log },
  });
}
