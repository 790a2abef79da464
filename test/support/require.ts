import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import type { TestContext } from "node:test";

/**
 * What a test needs of the machine. Where it is missing the test is skipped and says so; under CI, where
 * everything is there by design, it fails instead.
 */
function need(t: TestContext, present: boolean, missing: string): boolean {
  if (present) return true;
  if (process.env.CI !== undefined && process.env.CI !== "") throw new Error(`CI must have it: ${missing}`);
  t.skip(missing);
  return false;
}

function runs(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

/** `if (!requireRoot(t)) return;` */
export function requireRoot(t: TestContext): boolean {
  return need(t, process.getuid?.() === 0, "needs root");
}

export function requireTor(t: TestContext): boolean {
  return need(t, runs("tor", ["--version"]), "needs the tor program");
}

/** A Docker engine that answers on its usual socket. */
export function requireDocker(t: TestContext): boolean {
  const socket = "/var/run/docker.sock";
  const there = existsSync(socket) && statSync(socket).isSocket();
  return need(t, there && runs("docker", ["version"]), "needs a running Docker engine");
}

export function requireProgram(t: TestContext, program: string): boolean {
  return need(t, runs("sh", ["-c", 'command -v "$0"', program]), `needs the program ${program}`);
}
