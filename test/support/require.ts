import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";

const present = new Map<string, boolean>();

function runs(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * `root`; `docker`, an engine that answers on its usual socket; `alone`, no other tests beside it, and `long`, to begin
 * first, which `npm test` sees to; any other word is a program on the PATH.
 */
function has(what: string): boolean {
  if (what === "root") return process.getuid?.() === 0;
  if (what === "alone" || what === "long") return true;
  if (what !== "docker") return runs("sh", ["-c", 'command -v "$0"', what]);
  const socket = "/var/run/docker.sock";
  return existsSync(socket) && statSync(socket).isSocket() && runs("docker", ["version"]);
}

/**
 * Options of a test that needs something of the machine. Where it is missing the test is skipped and says so;
 * under CI, where everything is there by design, the file fails.
 * @example test("a task is ended at its deadline", needs("root", "docker"), async (t) => …);
 */
export function needs(...wanted: readonly string[]): { skip?: string } {
  for (const what of wanted) if (!present.has(what)) present.set(what, has(what));
  const missing = wanted.filter((what) => !present.get(what));
  if (missing.length === 0) return {};
  const told = `needs ${missing.map((what) => (what === "docker" ? "a running Docker engine" : what)).join(", ")}`;
  if (process.env.CI !== undefined && process.env.CI !== "") throw new Error(`CI must have it: ${told}`);
  return { skip: told };
}
