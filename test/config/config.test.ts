import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  childEnvironment,
  environment,
  environmentTable,
  loadConfig,
  requireNetwork,
} from "../../src/config.ts";
import { isIchainError } from "../../src/errors/error.ts";
import { temporaryFolder } from "../support/binary.ts";

const contract = (digit: string): string => `"0x${digit.repeat(40)}"`;
const network = `name: test
chainId: 31337
rpcUrl: http://127.0.0.1:8545
contracts: { escrow: ${contract("1")}, registry: ${contract("2")}, rating: ${contract("3")} }
`;

describe("configuration", () => {
  it("has defaults for everything but the network", async () => {
    using home = temporaryFolder();
    const config = await loadConfig({ env: { ICHAIN_HOME: home.path } });
    assert.equal(config.home, home.path);
    assert.equal(config.paths.keystore, home.join("keystore.json"));
    assert.equal(config.transport, "onion");
    assert.equal(config.docker.socketPath, "/var/run/docker.sock");
    assert.equal(config.network, undefined);
    assert.throws(() => requireNetwork(config), { code: "NO_NETWORK" });
  });

  it("takes an address for the direct transport, and nothing that would have to be looked up", async () => {
    using home = temporaryFolder();
    const load = (address: string) => {
      writeFileSync(home.join("config.yaml"), `direct: { address: "${address}" }\n`);
      return loadConfig({ env: { ICHAIN_HOME: home.path } });
    };
    for (const good of ["10.0.0.7", "fd00::7"]) assert.equal((await load(good)).direct.address, good);
    for (const bad of ["big.example", "10.0.0.7:80", ""]) {
      await assert.rejects(load(bad), { code: "CONFIG_INVALID" });
    }
  });

  it("takes folders of recipes, relative ones of the home", async () => {
    using home = temporaryFolder();
    writeFileSync(home.join("config.yaml"), "recipes: [mine, /etc/ichain/runtimes]\n");
    const { recipes } = await loadConfig({ env: { ICHAIN_HOME: home.path } });
    assert.deepEqual(recipes, [home.join("mine"), "/etc/ichain/runtimes"]);
    writeFileSync(home.join("config.yaml"), `recipes: [${"mine,".repeat(17)}]\n`);
    await assert.rejects(loadConfig({ env: { ICHAIN_HOME: home.path } }), { code: "CONFIG_INVALID" });
  });

  it("takes networks for the direct transport as CIDR", async () => {
    using home = temporaryFolder();
    const load = (networks: string) => {
      writeFileSync(home.join("config.yaml"), `direct: { networks: ${networks} }\n`);
      return loadConfig({ env: { ICHAIN_HOME: home.path } });
    };
    const good = ["10.0.0.0/24", "fd00::/64"];
    assert.deepEqual((await load(JSON.stringify(good))).direct.networks, good);
    for (const bad of ["[]", "[10.0.0.0]", "[10.0.0.0/33]", "[big.example/8]"]) {
      await assert.rejects(load(bad), { code: "CONFIG_INVALID" });
    }
  });

  it("takes more nodes in a network, and caps for what gas may cost", async () => {
    using home = temporaryFolder();
    const load = (fees: string, more: string) => {
      writeFileSync(home.join("net.yaml"), `${network}rpcUrls: [${more}]\n`);
      writeFileSync(home.join("config.yaml"), `network: ${home.join("net.yaml")}\nfees: {${fees}}\n`);
      return loadConfig({ env: { ICHAIN_HOME: home.path } });
    };
    const config = await load("maxGwei: 0.5", "http://10.0.0.1:8545");
    assert.deepEqual(config.fees, { maxGwei: 0.5, timesMedian: 10 });
    assert.deepEqual(config.network?.rpcUrls, ["http://10.0.0.1:8545"]);
    for (const [fees, more] of [
      ["maxGwei: 0", ""],
      ["timesMedian: 0.1", ""],
      ["", "ftp://x"],
    ] as const) {
      await assert.rejects(load(fees, more), { code: "CONFIG_INVALID" });
    }
  });

  it("takes the log's level from the environment, the file, or the default, in that order", async () => {
    using home = temporaryFolder();
    const load = (text: string, level?: string) => {
      writeFileSync(home.join("config.yaml"), text);
      return loadConfig({
        env: { ICHAIN_HOME: home.path, ...(level === undefined ? {} : { ICHAIN_LOG_LEVEL: level }) },
      });
    };
    assert.deepEqual((await load("")).log, { level: "info", file: home.join("logs", "ichain.log") });
    const own = "log: { level: warn, file: own.log }\n";
    assert.deepEqual((await load(own)).log, { level: "warn", file: home.join("own.log") });
    assert.deepEqual((await load("log: { file: /var/log/own.log }\n")).log.file, "/var/log/own.log");
    assert.equal((await load(own, "debug")).log.level, "debug");
    await assert.rejects(load(own, "loud"), { code: "CONFIG_INVALID" });
    await assert.rejects(load("log: { level: loud }\n"), { code: "CONFIG_INVALID" });
  });

  it("is frozen to its depth", async () => {
    using home = temporaryFolder();
    const config = await loadConfig({ env: { ICHAIN_HOME: home.path } });
    assert.throws(() => Object.assign(config.tor, { binary: "other" }), TypeError);
  });

  it("finds a network by name in its folder, and by path", async () => {
    using home = temporaryFolder();
    mkdirSync(home.join("networks"));
    writeFileSync(home.join("networks", "test.yaml"), network);
    writeFileSync(home.join("config.yaml"), "network: test\n");
    const env = { ICHAIN_HOME: home.path };
    const named = await loadConfig({ env });
    assert.equal(named.network?.chainId, 31337);
    const byPath = await loadConfig({ env: { ...env, ICHAIN_NETWORK: home.join("networks", "test.yaml") } });
    assert.deepEqual(byPath.network, named.network);
    await assert.rejects(loadConfig({ env: { ...env, ICHAIN_NETWORK: "other" } }), {
      code: "NETWORK_UNKNOWN",
    });
  });

  it("lets the environment override the file", async () => {
    using home = temporaryFolder();
    writeFileSync(home.join("net.yaml"), network);
    const env = {
      ICHAIN_HOME: home.path,
      ICHAIN_NETWORK: home.join("net.yaml"),
      ICHAIN_RPC_URL: "https://rpc.example:1",
      ICHAIN_TOR: "/opt/tor",
      DOCKER_HOST: "unix:///run/other.sock",
    };
    const config = await loadConfig({ env });
    assert.equal(config.network?.rpcUrl, "https://rpc.example:1");
    const several = await loadConfig({
      env: { ...env, ICHAIN_RPC_URL: "http://10.0.0.1:8545, https://rpc.example" },
    });
    assert.equal(several.network?.rpcUrl, "http://10.0.0.1:8545");
    assert.deepEqual(several.network?.rpcUrls, ["https://rpc.example"]);
    for (const bad of [
      "http://10.0.0.1:8545,",
      "http://10.0.0.1:8545,ftp://x",
      Array(12).fill("http://x").join(),
    ]) {
      await assert.rejects(loadConfig({ env: { ...env, ICHAIN_RPC_URL: bad } }), { code: "CONFIG_INVALID" });
    }
    assert.equal(config.tor.binary, "/opt/tor");
    assert.equal(config.docker.socketPath, "/run/other.sock");
    await assert.rejects(loadConfig({ env: { ...env, ICHAIN_RPC_URL: "ftp://x" } }), {
      code: "CONFIG_INVALID",
    });
    await assert.rejects(loadConfig({ env: { ...env, DOCKER_HOST: "tcp://1.2.3.4:1" } }), {
      code: "CONFIG_INVALID",
    });
  });

  it("keeps the password out of what is printed of it", async () => {
    using home = temporaryFolder();
    const config = await loadConfig({ env: { ICHAIN_HOME: home.path, ICHAIN_PASSWORD: "open sesame" } });
    assert.ok(!JSON.stringify(config).includes("sesame"));
    assert.equal(config.password.from === "environment" && config.password.reveal(), "open sesame");
  });

  for (const [what, text, line] of [
    ["an unknown field", "transport: onion\ntransprot: onion\n", 2],
    ["a wrong value", "transport: onion\nsandbox:\n  cpus: many\n", 3],
    ["a number out of bounds", "sandbox:\n  pids: 1\n", 2],
    ["an engine whose address could be a flag", 'pool:\n  - {name: a, url: "ssh://-oProxyCommand=x"}\n', 2],
    ["an engine without certificates", 'pool:\n  - {name: a, url: "tcp://far.example"}\n', 2],
    [
      "two engines of one name",
      'pool:\n  - &a {name: a, url: "ssh://far.example"}\n  - {name: a, url: "ssh://far.example"}\n',
      2,
    ],
    ["broken YAML", "transport: [onion\n", 2],
    [
      "a bad address in an inline network",
      network.replace(/^/gm, "  ").replace(/^/, "network:\n").replace("0x1", "0y1"),
      5,
    ],
  ] as const) {
    it(`names the line of ${what}`, async () => {
      using home = temporaryFolder();
      writeFileSync(home.join("config.yaml"), text);
      await assert.rejects(loadConfig({ env: { ICHAIN_HOME: home.path } }), (error) => {
        assert.ok(isIchainError(error, "CONFIG_INVALID"));
        assert.equal(error.details.line, line);
        return true;
      });
    });
  }

  it("refuses a --config that is not there", async () => {
    await assert.rejects(loadConfig({ file: "/nonexistent/config.yaml", env: {} }), {
      code: "CONFIG_MISSING",
    });
  });

  it("reads nothing of the environment but its table, and empty counts as unset", () => {
    assert.deepEqual(environment({ ICHAIN_HOME: "/h", CI: "", SECRET: "x" }), { ICHAIN_HOME: "/h" });
  });

  it("gives the processes it starts what they need, and no secret that this one has", () => {
    Object.assign(process.env, {
      ICHAIN_PASSWORD: "secret",
      SOME_CLOUD_TOKEN: "secret",
      SSH_AUTH_SOCK: "/s",
    });
    const child = childEnvironment({ ICHAIN_HOME: "/h" });
    for (const name of ["ICHAIN_PASSWORD", "SOME_CLOUD_TOKEN", "SSH_AUTH_SOCK"]) delete process.env[name];
    assert.doesNotMatch(JSON.stringify(child), /secret/);
    assert.equal(child.ICHAIN_HOME, "/h");
    assert.equal(child.PATH, process.env.PATH);
    assert.equal(child.SSH_AUTH_SOCK, "/s");
  });

  it("takes the password out of the environment, which libraries hand on to programs of theirs", async () => {
    using home = temporaryFolder();
    const before = process.env.ICHAIN_HOME;
    Object.assign(process.env, { ICHAIN_HOME: home.path, ICHAIN_PASSWORD: "open sesame" });
    const config = await loadConfig();
    const handedOn = execFileSync("env", { encoding: "utf8" });
    if (before === undefined) delete process.env.ICHAIN_HOME;
    else process.env.ICHAIN_HOME = before;
    assert.equal(config.password.from === "environment" && config.password.reveal(), "open sesame");
    assert.doesNotMatch(handedOn, /sesame/);
  });
});

describe("the README", () => {
  it("lists every environment variable with its meaning", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    for (const [name, meaning] of Object.entries(environmentTable)) {
      assert.ok(readme.includes(`| \`${name}\` | ${meaning} |`), name);
    }
  });
});
