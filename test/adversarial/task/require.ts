import { execFileSync } from "node:child_process";
import type { TestContext } from "node:test";

/** An OCI runtime that the engine knows. Not everywhere under CI: Debian's `runsc` is for amd64 only. */
export function requireRuntime(t: TestContext, name: string): boolean {
  const info = execFileSync("docker", ["info", "--format", "{{json .Runtimes}}"], {
    encoding: "utf8",
    timeout: 20_000,
  });
  if (Object.keys(JSON.parse(info) as object).includes(name)) return true;
  t.skip(`needs the runtime ${name} registered with the engine`);
  return false;
}
