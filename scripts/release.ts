// Says whether what lies here may be published as a release; `npm publish` asks first (CONTRIBUTING.md, "Release").
//
//   node scripts/release.ts
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { programVersion } from "../src/version.ts";
import { releaseFaults } from "./release/faults.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const git = (...args: string[]): string | undefined => {
  try {
    return execFileSync("git", args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
      .toString()
      .trim();
  } catch {
    return undefined;
  }
};

const version = programVersion();
const tag = `v${version}`;
const faults = releaseFaults({
  version,
  changelog: readFileSync(new URL("../CHANGELOG.md", import.meta.url), "utf8"),
  changed: git("status", "--porcelain"),
  head: git("rev-parse", "HEAD"),
  tagged: git("rev-parse", `${tag}^{commit}`),
  signed: git("verify-tag", tag) !== undefined,
});
for (const fault of faults) console.error(`- ${fault}`);
console.log(faults.length === 0 ? `${tag} may be published.` : "No release yet.");
process.exitCode = faults.length === 0 ? 0 : 1;
