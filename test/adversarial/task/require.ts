import { execFileSync } from "node:child_process";
import { needs } from "../../support/require.ts";

/** Options of a test in a tier. Debian has `runsc` for amd64 only: elsewhere gVisor's tests are skipped, under CI too. */
export function needsTier(tier: "runc" | "gvisor"): { skip?: string } {
  const docker = needs("docker");
  if (tier === "runc" || docker.skip !== undefined) return docker;
  const info = execFileSync("docker", ["info", "--format", "{{json .Runtimes}}"], {
    encoding: "utf8",
    timeout: 20_000,
  });
  return "runsc" in (JSON.parse(info) as object)
    ? {}
    : { skip: "needs the runtime runsc registered with the engine" };
}
