import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const tests = fileURLToPath(new URL("../../python", import.meta.url));
const contained = ["run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "-v", `${tests}:/t:ro`];

/** Runs the tests of the module `ichain` in the held runtime `name`; throws when one fails. */
export function testModuleIn(name: string): void {
  const discover = ["python3", "-B", "-m", "unittest", "discover", "-s", "/t"];
  execFileSync("docker", [...contained, `ichain/${name}`, ...discover], { stdio: "pipe" });
}
