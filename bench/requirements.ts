import { spawnSync } from "node:child_process";

/** Exit code when a required program is missing: nothing was measured, and no limit was exceeded. */
const NOT_HERE = 3;

/** Exits with code 3 and one line that says what to install when one of these programs (name → package) is missing. */
export function requirePrograms(packages: Readonly<Record<string, string>>): void {
  const find = (name: string) => spawnSync("/bin/sh", ["-c", 'command -v "$0"', name], { stdio: "ignore" });
  const missing = Object.entries(packages).filter(([name]) => find(name).status !== 0);
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name).join(", ");
  const install = `apt-get install ${missing.map(([, from]) => from).join(" ")}`;
  console.error(`Not measured: ${names} not found on the PATH. To install: ${install}`);
  process.exit(NOT_HERE);
}
