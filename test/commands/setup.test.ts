import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { exitCodes } from "../../src/errors/error.ts";
import { ichainRun, temporaryFolder } from "../support/binary.ts";

const network = (rpcUrl: string): string => `name: little
chainId: 31337
rpcUrl: ${rpcUrl}
contracts:
  escrow: "0x${"1".repeat(40)}"
  registry: "0x${"2".repeat(40)}"
  rating: "0x${"3".repeat(40)}"
`;
/** Nobody listens there. */
const DEAD = "http://127.0.0.1:9";

describe("ichain init", () => {
  it("sets up role, network and wallet from flags, and keeps a copy of the network", async () => {
    using home = temporaryFolder();
    writeFileSync(home.join("little.yaml"), network(DEAD));
    const env = { ICHAIN_HOME: home.join("home"), ICHAIN_PASSWORD: "correct horse" };
    const flags = [
      "--yes",
      "--role",
      "provider",
      "--network",
      home.join("little.yaml"),
      "--rpc",
      "http://localhost:1",
    ];
    const { code, stdout, stderr } = await ichainRun(["init", "--json", ...flags], env);
    assert.equal(code, 0, stderr);
    const said = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([said.role, said.network, said.walletMade], ["provider", "little", true]);
    assert.match(readFileSync(home.join("home", "networks", "little.yaml"), "utf8"), /localhost:1/);
  });

  it("changes nothing that is there when it is run again", async () => {
    using home = temporaryFolder();
    const env = { ICHAIN_HOME: home.path, ICHAIN_PASSWORD: "correct horse" };
    writeFileSync(home.join("config.yaml"), "# mine\nrole: validator # really\n");
    writeFileSync(home.join("keystore.json"), "{}");
    const { code, stderr } = await ichainRun(["init", "--yes", "--transport", "direct"], env);
    assert.equal(code, 0, stderr);
    assert.equal(
      readFileSync(home.join("config.yaml"), "utf8"),
      "# mine\nrole: validator # really\ntransport: direct\n",
    );
    assert.equal(readFileSync(home.join("keystore.json"), "utf8"), "{}");
  });

  it("leaves nothing behind when the network is malformed", async () => {
    using home = temporaryFolder();
    writeFileSync(home.join("bad.yaml"), network("ftp://chain"));
    const env = { ICHAIN_HOME: home.join("home"), ICHAIN_PASSWORD: "correct horse" };
    const { code, stderr } = await ichainRun(["init", "--yes", "--network", home.join("bad.yaml")], env);
    assert.equal(code, exitCodes.config);
    assert.match(stderr, /^error .*line 3: rpcUrl.* \[CONFIG_INVALID\]\nhint {2}.+\n$/);
    assert.equal(existsSync(home.join("home")), false);
  });
});

describe("ichain doctor", () => {
  it("names what is broken and what to do, and ends with the class of what cannot be reached", async () => {
    using home = temporaryFolder();
    mkdirSync(home.join("networks"));
    writeFileSync(home.join("networks", "little.yaml"), network(DEAD));
    const { code, stdout, stderr } = await ichainRun(["doctor", "--json", "--quiet"], {
      ICHAIN_HOME: home.path,
      ICHAIN_NETWORK: "little",
      ICHAIN_TOR: "/nonexistent/tor",
      DOCKER_HOST: "unix:///nonexistent/docker.sock",
    });
    assert.equal(code, exitCodes.unavailable, stderr);
    const [report, error] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)) as [
      { ok: boolean; checks: { name: string; status: string; todo?: string }[] },
      { error: { code: string } },
    ];
    assert.equal(report.ok, false);
    assert.equal(error.error.code, "DOCTOR_FAILED");
    const status = Object.fromEntries(report.checks.map((check) => [check.name, check.status]));
    assert.equal(status.node, "ok");
    for (const name of ["tor", "docker", "chain", "wallet"]) assert.equal(status[name], "fail", name);
    for (const { status, todo } of report.checks) if (status !== "ok") assert.match(todo ?? "", /\.$|chmod/);
  });

  it("names a damaged journal and the way out", async () => {
    using home = temporaryFolder();
    writeFileSync(home.join("journal.db"), "no database ".repeat(999));
    const { stdout } = await ichainRun(["doctor", "--json", "--quiet"], {
      ICHAIN_HOME: home.path,
      DOCKER_HOST: "unix:///nonexistent/docker.sock",
    });
    const { checks } = JSON.parse(stdout.split("\n")[0]!) as {
      checks: { name: string; status: string; todo?: string }[];
    };
    const found = checks.find(({ name }) => name === "journal");
    assert.equal(found?.status, "fail");
    assert.match(found.todo ?? "", /ichain journal repair/);
  });

  it("forgives a requester who has no Docker", async () => {
    using home = temporaryFolder();
    writeFileSync(home.join("config.yaml"), "role: requester\n");
    const { stdout } = await ichainRun(["doctor", "--json", "--quiet"], {
      ICHAIN_HOME: home.path,
      DOCKER_HOST: "unix:///nonexistent/docker.sock",
    });
    const { checks } = JSON.parse(stdout.split("\n")[0]!) as { checks: { name: string; status: string }[] };
    assert.equal(checks.find(({ name }) => name === "docker")?.status, "warn");
  });
});

describe("bad surroundings", () => {
  for (const [what, args, env, code, exit] of [
    ["no network", ["jobs"], {}, "NO_NETWORK", "config"],
    ["an unknown network", ["jobs"], { ICHAIN_NETWORK: "nowhere" }, "NETWORK_UNKNOWN", "config"],
    [
      "a chain that nobody answers for",
      ["providers"],
      { ICHAIN_NETWORK: "little" },
      "CHAIN_UNAVAILABLE",
      "unavailable",
    ],
    [
      "no Docker",
      ["runtime", "list"],
      { DOCKER_HOST: "unix:///nonexistent/d.sock" },
      "DOCKER_UNAVAILABLE",
      "unavailable",
    ],
  ] as const) {
    it(`${what}: one sentence, one hint, its exit class, no stack`, async () => {
      using home = temporaryFolder();
      mkdirSync(home.join("networks"));
      writeFileSync(home.join("networks", "little.yaml"), network(DEAD));
      const ended = await ichainRun(args, { ICHAIN_HOME: home.path, ...env });
      assert.match(ended.stderr, new RegExp(`^error .+ \\[${code}\\]\nhint {2}.+\n$`));
      assert.equal(ended.code, exitCodes[exit]);
      assert.equal(ended.stdout, "");
    });
  }
});
