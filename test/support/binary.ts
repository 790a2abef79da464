import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkOutput } from "./output.ts";

const ichain = fileURLToPath(new URL("../../bin/ichain.js", import.meta.url));

/** Where tests and what they start keep compiled code, so that not every process compiles it again. */
export const compileCache = fileURLToPath(new URL("../../node_modules/.cache/compiled", import.meta.url));

/** A child's whole environment: no home folder, no variable of ours but those given. */
export function bareEnvironment(own: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    HOME: "/nonexistent",
    NODE_COMPILE_CACHE: compileCache,
    ...own,
  };
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command line to its end, with no terminal and only the variables given. */
export async function ichainRun(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const ended = await nodeRun([ichain, ...args], bareEnvironment(env));
  checkOutput(args, ended.stdout);
  return ended;
}

/** Runs Node to its end, with no terminal, in this environment. */
export function nodeRun(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  return programRun(process.execPath, args, { env });
}

/** The same of another program, or in another folder. */
export function programRun(
  program: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd?: string },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** A folder of its own, removed by `using` at the end of the block. */
export function temporaryFolder(): { readonly path: string; join(...names: string[]): string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "ichain-test-"));
  return {
    path,
    join: (...names) => join(path, ...names),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
