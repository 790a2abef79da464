import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Wallet } from "ethers";
import { deploy } from "../src/chain/deploy.ts";
import { startEvm } from "../src/devnet/evm/evm.ts";
import { programVersion } from "../src/version.ts";
import { bareEnvironment, nodeRun, temporaryFolder } from "./support/binary.ts";
import { unpackPackage } from "./support/package.ts";

const checkout = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Of somebody who has installed the package. */
const program = `
import { createClient, type FollowedEvent, isIchainError, type JobQuote } from "ichain";

const [home = "", network = "", job = ""] = process.argv.slice(2);
await using client = await createClient({ home, network });
async function quoted(): Promise<bigint | string> {
  try {
    const quote: JobQuote = await client.quote(job);
    return quote.locked;
  } catch (error) {
    return isIchainError(error) ? error.code : "";
  }
}
const states = (events: readonly FollowedEvent[]) => events.map((event) => event.kind === "job" && event.job.state);
const prices = await client.prices({ signal: AbortSignal.timeout(60_000) });
console.log(await quoted(), prices.length + states([]).length);
`;

/** The examples of the pages, each in a function of its own. */
function examples(): string {
  const pages = ["docs/reference/sdk.md", "docs/sdk.md", "README.md"].map((path) =>
    readFileSync(checkout(path), "utf8"),
  );
  const code = pages
    .flatMap((page) => [...page.matchAll(/^```(?:ts|js)\n([\s\S]+?)\n```$/gm)])
    .map(([, text]) => text!);
  const shown = code.filter((text) => /^(import|await|const|for) /.test(text));
  assert.ok(shown.length >= 7, `${shown.length} examples`);
  const bodies = shown.map((text) => `async () => {\n${text.replace(/^import .*$/gm, "")}\n}`);
  return `
import { readFileSync } from "node:fs";
import { type Client, createClient, isIchainError } from "ichain";
declare const client: Client;
declare const jobId: string;
export const all = [${bodies.join(",\n")}];
void [createClient, isIchainError, readFileSync];
`;
}

test("the npm package has all that the program reads, and nothing of its sources and tests", async (t) => {
  using folder = temporaryFolder();
  const unpacked = unpackPackage(folder.path);
  const parts = readdirSync(unpacked).filter((name) => !name.includes("."));
  const wanted = [
    "LICENSE",
    "artifacts",
    "bin",
    "dist",
    "docs",
    "examples",
    "networks",
    "python",
    "runtimes",
  ];
  assert.deepEqual(parts.toSorted(), [...wanted, "templates"]);
  const { files } = JSON.parse(readFileSync(join(unpacked, "package.json"), "utf8")) as { files: string[] };
  assert.ok(files.includes("npm-shrinkwrap.json"), "git ignores it: npm packs it only where it is named");
  const all = readdirSync(unpacked, { recursive: true }) as string[];
  assert.ok(all.includes(join("dist", "web", "page", "index.html")));
  assert.deepEqual(
    all.filter((path) =>
      /(?<!\.d)\.ts$|\.(map|pyc)$|\.test\.|(^|\/)(test|cache|build-info|node_modules)(\/|$)/.test(path),
    ),
    [],
  );
  // Modules are looked for from where a file is: the package finds its dependencies, and none of this checkout's files.
  symlinkSync(checkout("node_modules"), folder.join("node_modules"));
  const node = await startEvm({ client: "anvil", accounts: 1 });
  t.after(() => node.stop());
  const wallet = new Wallet(node.accounts[0]!.privateKey);
  const { chainId, ...contracts } = await deploy({ rpcUrl: node.rpcUrl, wallet });
  const network = { name: "local", chainId, rpcUrl: node.rpcUrl, contracts, confirmations: 1 };
  writeFileSync(folder.join("local.yaml"), JSON.stringify(network));
  const ichain = (...args: string[]) =>
    nodeRun(
      [join(unpacked, "bin", "ichain.js"), ...args],
      bareEnvironment({ ICHAIN_HOME: folder.join("own"), ICHAIN_NETWORK: folder.join("local.yaml") }),
    );
  const job = join(unpacked, "examples", "digits", "job.yaml");
  const app = folder.join("app");
  mkdirSync(join(app, "node_modules", "@types"), { recursive: true });
  symlinkSync(unpacked, join(app, "node_modules", "ichain"));
  symlinkSync(checkout("node_modules/@types/node"), join(app, "node_modules", "@types", "node"));
  writeFileSync(join(app, "program.mts"), program);
  writeFileSync(join(app, "examples.mts"), examples());
  const typed = [
    checkout("node_modules/typescript/bin/tsc"),
    "--noEmit",
    "--ignoreConfig",
    "--strict",
    "--module",
    "nodenext",
  ];
  const library = [
    "--target",
    "es2024",
    "--lib",
    "es2024,esnext.disposable,esnext.iterator",
    "--types",
    "node",
  ];
  const runs = await Promise.all([
    ichain("--version"),
    ichain("doctor", "--json"),
    ichain("quote", "--market", "--json"),
    ichain("quote", job, "--json"),
    ichain("new", "sklearn", folder.join("task"), "--json"),
    nodeRun([...typed, ...library, join(app, "program.mts"), join(app, "examples.mts")], bareEnvironment()),
    nodeRun(
      [join(app, "program.mts"), folder.join("own"), folder.join("local.yaml"), job],
      bareEnvironment(),
    ),
  ]);
  const [version, doctor, market, quote, made] = runs.map(({ stdout }) => stdout);
  assert.match(version!, new RegExp(programVersion()));
  const { checks } = JSON.parse(doctor!.split("\n", 1)[0]!);
  assert.ok(checks.length > 5, doctor);
  assert.deepEqual(JSON.parse(market!), { prices: [] });
  assert.equal(JSON.parse(quote!).error.code, "NO_PROVIDER"); // on a market without offers
  assert.ok(JSON.parse(made!), runs[4]!.stderr);
  assert.equal(runs[5]!.stdout, "", "its declarations fit a strict program");
  assert.equal(runs[6]!.stdout, "NO_PROVIDER 0\n", runs[6]!.stderr);
});
