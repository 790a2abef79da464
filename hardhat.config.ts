import { globSync } from "node:fs";
import { createRequire } from "node:module";
import nodeTestRunner from "@nomicfoundation/hardhat-node-test-runner";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

/** Random histories an invariant; CI's share. 200 search longer. */
const invariantRuns = Number(process.env.INVARIANT_RUNS ?? 40);

// The compiler comes from npm, so that a build needs no network.
const solc = { version: "0.8.37", path: require.resolve("solc/soljson.js") };
const evmVersion = "cancun";

/** Tests deploy the contracts by their artifacts (`support/Deploy.sol`): their own code is compiled fast, not well. */
const testSettings = { ...solc, settings: { evmVersion, optimizer: { enabled: false } } };
const testSources = globSync("test/contracts/**/*.sol", { cwd: import.meta.dirname });

export default defineConfig({
  plugins: [nodeTestRunner],
  solidity: {
    compilers: [{ ...solc, settings: { evmVersion, optimizer: { enabled: true, runs: 200 }, viaIR: true } }],
    overrides: Object.fromEntries(testSources.map((path) => [path, testSettings])),
  },
  test: { solidity: { invariant: { runs: invariantRuns, depth: 200, failOnRevert: true } } },
  paths: {
    sources: "contracts",
    tests: { nodejs: "test/contracts", solidity: "test/contracts" },
    artifacts: "artifacts",
    cache: "cache",
  },
});
