import { createRequire } from "node:module";
import nodeTestRunner from "@nomicfoundation/hardhat-node-test-runner";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

/** Random histories an invariant; CI's share. 200 search longer. */
const invariantRuns = Number(process.env.INVARIANT_RUNS ?? 25);

export default defineConfig({
  plugins: [nodeTestRunner],
  solidity: {
    version: "0.8.37",
    // The compiler comes from npm, so that a build needs no network.
    path: require.resolve("solc/soljson.js"),
    settings: { evmVersion: "cancun", optimizer: { enabled: true, runs: 200 }, viaIR: true },
  },
  test: { solidity: { invariant: { runs: invariantRuns, depth: 200, failOnRevert: true } } },
  paths: {
    sources: "contracts",
    tests: { nodejs: "test/contracts", solidity: "test/contracts" },
    artifacts: "artifacts",
    cache: "cache",
  },
});
