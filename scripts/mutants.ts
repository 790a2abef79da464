// Breaks the contracts on purpose, once for each patch in test/contracts/mutants/, and runs the campaign of the
// invariant whose number the patch bears: it must fail. A patch in rules/ breaks one rule, and names the test that must
// fail. Works on copies, one after the other; a few minutes each. `npm run -s mutants [NUMBER|RULE…]`; the last line is
// `N caught, N missed`, and the exit code says the same.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const patches = join(root, "test/contracts/mutants");
/** Campaigns, each beside its handler: the fuzzer only calls contracts whose artifact is there. */
const campaigns = [
  ["test/contracts/invariant/invariants.t.sol", "test/contracts/invariant/Handler.sol"],
  ["test/contracts/invariant/federated.t.sol", "test/contracts/invariant/FederatedHandler.sol"],
  ["test/contracts/invariant/campaigns.t.sol", "test/contracts/invariant/CampaignHandler.sol"],
  ["test/contracts/invariant/owners.t.sol", "test/contracts/invariant/OwnersHandler.sol"],
  ["test/contracts/invariant/improvements.t.sol", "test/contracts/invariant/MarketHandler.sol"],
] as const;
const LIMIT_MS = 20 * 60_000;

/** What has to fail for a patch. */
interface Catch {
  readonly name: string;
  readonly files: readonly string[];
}

/** The test that the first line of a rule's patch names. */
function testOf(patch: string): Catch {
  const [, contract, name] =
    /^Caught by (\w+)\.(\w+)\n/.exec(readFileSync(join(patches, patch), "utf8")) ?? [];
  const file = globSync("test/contracts/{federated,campaign}/*.t.sol", { cwd: root }).find((path) =>
    readFileSync(join(root, path), "utf8").includes(`contract ${contract} `),
  );
  if (name === undefined || file === undefined) throw new RangeError(`no test for ${patch}`);
  return { name, files: [file] };
}

/** Name and files of the invariant's campaign, by its number. */
function campaignOf(number: string): Catch {
  for (const files of campaigns) {
    const source = readFileSync(join(root, files[0]), "utf8");
    const inside = source.split(`contract Invariant${number}Test `)[1];
    const name = /function (invariant_\w+)/.exec(inside ?? "")?.[1];
    if (name !== undefined) return { name, files };
  }
  throw new RangeError(`no campaign for invariant ${number}`);
}

/** Everything that the campaigns are made of, with the patch applied. */
function copyOf(patch: string, files: readonly string[]): string {
  const copy = mkdtempSync(join(tmpdir(), "ichain-mutant-"));
  const tests = ["invariant", "support", "federated"].map((name) => `test/contracts/${name}`);
  for (const path of new Set(["contracts", ...tests, ...files.map(dirname)])) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  for (const path of ["hardhat.config.ts", "package.json"]) cpSync(join(root, path), join(copy, path));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  execFileSync("git", ["apply", join(patches, patch)], { cwd: copy });
  return copy;
}

/** Why the campaign failed, or undefined when it did not notice. */
function whyCaught(patch: string, { name, files }: Catch): string | undefined {
  const copy = copyOf(patch, files);
  try {
    // Handlers deploy the contracts by their artifacts.
    execFileSync("npx", ["--no-install", "hardhat", "build"], { cwd: copy, stdio: "ignore" });
    const argv = ["--no-install", "hardhat", "test", "solidity", "--grep", name, ...files];
    const { stdout, status } = spawnSync("npx", argv, { cwd: copy, encoding: "utf8", timeout: LIMIT_MS });
    if (status === 0) return undefined;
    const told = new RegExp(`#${name}\\(\\)\\s+Error: (.+)`).exec(stdout)?.[1];
    if (told === undefined || /failed to set up/.test(told))
      throw new RangeError(`${patch} does not run:\n${stdout}`);
    return told;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const asked = process.argv.slice(2);
let [caught, missed] = [0, 0];
for (const patch of globSync("**/*.patch", { cwd: patches }).toSorted()) {
  const [, rule, number = ""] = /^(?:rules\/(.+)\.patch|(\d+)-.*)$/.exec(patch) ?? [];
  if (asked.length > 0 && !asked.includes(rule ?? number)) continue;
  const campaign = rule === undefined ? campaignOf(number) : testOf(patch);
  const why = whyCaught(patch, campaign);
  if (why === undefined) missed++;
  else caught++;
  console.log(
    `${why === undefined ? "✖ missed" : "✔ caught"} ${patch} by ${campaign.name}${why ? `: ${why}` : ""}`,
  );
}
console.log(`${caught} caught, ${missed} missed`);
process.exit(missed > 0 || caught === 0 ? 1 : 0);
