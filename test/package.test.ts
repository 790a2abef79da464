import assert from "node:assert/strict";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Wallet } from "ethers";
import { deploy } from "../src/chain/deploy.ts";
import { startEvm } from "../src/devnet/evm/evm.ts";
import { programVersion } from "../src/version.ts";
import { bareEnvironment, nodeRun, temporaryFolder } from "./support/binary.ts";
import { unpackPackage } from "./support/package.ts";

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
      /\.(ts|map|pyc)$|\.test\.|(^|\/)(test|cache|build-info|node_modules)(\/|$)/.test(path),
    ),
    [],
  );
  // Modules are looked for from where a file is: the package finds its dependencies, and none of this checkout's files.
  symlinkSync(fileURLToPath(new URL("../node_modules", import.meta.url)), folder.join("node_modules"));
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
  const runs = await Promise.all([
    ichain("--version"),
    ichain("doctor", "--json"),
    ichain("quote", "--market", "--json"),
    ichain("quote", join(unpacked, "examples", "digits", "job.yaml"), "--json"),
    ichain("new", "sklearn", folder.join("task"), "--json"),
  ]);
  const [version, doctor, market, quote, made] = runs.map(({ stdout }) => stdout);
  assert.match(version!, new RegExp(programVersion()));
  const { checks } = JSON.parse(doctor!.split("\n", 1)[0]!);
  assert.ok(checks.length > 5, doctor);
  assert.deepEqual(JSON.parse(market!), { prices: [] });
  assert.equal(JSON.parse(quote!).error.code, "NO_PROVIDER"); // on a market without offers
  assert.ok(JSON.parse(made!), runs[4]!.stderr);
});
