import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { test } from "node:test";
import { installUnit, nextCommands, unitPath } from "../../src/service/install.ts";
import { plainPath, quoted } from "../../src/service/syntax.ts";
import { type ServiceSettings, serviceUnit } from "../../src/service/unit.ts";
import { temporaryFolder } from "../support/binary.ts";

const provider: ServiceSettings = {
  command: "provide",
  manager: "system",
  program: ["/usr/bin/node", "/opt/ichain/bin/ichain.js"],
  globals: [],
  args: ["--policy", "/etc/ichain/policy.yaml", "--stake", "1"],
  home: "/var/lib/ichain",
  writes: [],
  passwordFile: "/etc/ichain/password",
  environment: { ICHAIN_LOG_LEVEL: "debug" },
  mountsDisks: true,
  needsDocker: true,
};
const requester: ServiceSettings = {
  ...provider,
  command: "serve",
  args: [],
  mountsDisks: false,
  needsDocker: false,
};

/** The settings of a unit: the last value of each, and all lines of one. */
function read(unit: string) {
  const lines = unit.split("\n").filter((line) => line.includes("=") && !line.startsWith("#"));
  const pairs = lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
  const all = (name: string) => pairs.filter(([each]) => each === name).map(([, value]) => value);
  return { all, one: (name: string) => all(name).at(-1) };
}

test("a provider's unit runs the command, reloads and stops by its own means, and comes back", () => {
  const { one, all } = read(serviceUnit(provider));
  const program = '":/usr/bin/node" "/opt/ichain/bin/ichain.js"';
  assert.equal(one("ExecStart"), `${program} "provide" "--policy" "/etc/ichain/policy.yaml" "--stake" "1"`);
  assert.equal(one("ExecReload"), `${program} "reload"`);
  assert.deepEqual(all("Environment"), [
    ...['"ICHAIN_HOME=/var/lib/ichain"', '"ICHAIN_LOG_LEVEL=debug"'],
    "ICHAIN_PASSWORD_FILE=%d/password",
  ]);
  assert.equal(one("LoadCredential"), "password:/etc/ichain/password");
  assert.deepEqual(["Restart", "RestartPreventExitStatus", "StartLimitIntervalSec", "KillMode"].map(one), [
    "on-failure",
    "2 3",
    "0",
    "mixed",
  ]);
  assert.equal(one("After"), "network-online.target docker.service");
  assert.equal(one("WantedBy"), "multi-user.target");
});

test("a daemon that mounts tasks' disks keeps the host's mounts, and has every other wall", () => {
  const { one } = read(serviceUnit(provider));
  // systemd.exec(5): each of these gives a service mounts of its own, which the container engine would not see.
  const apart = [
    "ProtectSystem",
    "ProtectHome",
    "ReadWritePaths",
    "PrivateTmp",
    "PrivateDevices",
    "PrivateMounts",
  ];
  const more = ["ProtectKernelModules", "ProtectKernelTunables", "ProtectKernelLogs", "ProtectControlGroups"];
  for (const name of [...apart, ...more, "ProtectProc"]) assert.equal(one(name), undefined, name);
  assert.equal(one("NoNewPrivileges"), "yes");
  assert.equal(one("SystemCallFilter"), "@system-service @mount");
  assert.match(one("CapabilityBoundingSet") ?? "", /^~.*CAP_SYS_MODULE.*CAP_SYS_PTRACE/);
  assert.equal(one("RestrictAddressFamilies"), "AF_UNIX AF_INET AF_INET6 AF_NETLINK");
});

test("a requester's daemon writes to its home alone", () => {
  const { one } = read(serviceUnit({ ...requester, writes: ["/var/log/ichain"] }));
  assert.deepEqual(
    [
      "ProtectSystem",
      "ProtectHome",
      "ReadWritePaths",
      "PrivateTmp",
      "ProtectKernelModules",
      "SystemCallFilter",
    ].map(one),
    ["strict", "read-only", '"/var/lib/ichain" "/var/log/ichain"', "yes", "yes", "@system-service"],
  );
  // It has no policy to read again.
  assert.equal(one("ExecReload"), undefined);
  assert.equal(one("After"), "network-online.target");
});

test("a user's unit asks for nothing that only the system's manager can do", () => {
  const { one } = read(serviceUnit({ ...requester, manager: "user" }));
  for (const name of ["After", "Wants", "RequiresMountsFor", "CapabilityBoundingSet"]) {
    assert.equal(one(name), undefined, name);
  }
  assert.deepEqual([one("PrivateUsers"), one("WantedBy")], ["yes", "default.target"]);
  assert.equal(unitPath({ manager: "system", command: "serve" }), "/etc/systemd/system/ichain-serve.service");
  assert.match(
    unitPath({ manager: "user", command: "serve" }),
    /\/\.config\/systemd\/user\/ichain-serve\.service$/,
  );
  assert.deepEqual(nextCommands({ manager: "user", command: "serve" }).slice(0, 3), [
    "loginctl enable-linger",
    "systemctl --user daemon-reload",
    "systemctl --user enable --now ichain-serve.service",
  ]);
});

test("paths are written so that systemd reads them as they are", () => {
  assert.equal(quoted('/a b/100%/"c"\\d/$e'), '"/a b/100%%/\\"c\\"\\\\d/$e"');
  assert.equal(plainPath("/a b/100%"), "/a b/100%%");
  for (const path of ["/a\nExecStart=/bin/sh", "/a\u0000", "/a\u0085"]) {
    assert.throws(() => quoted(path), { code: "USAGE" });
    assert.throws(() => plainPath(path), { code: "USAGE" });
  }
  for (const path of ["/a ", "/a\\", " /a"]) assert.throws(() => plainPath(path), { code: "USAGE" });
});

test("systemd takes the units, also with paths that need quotes", (t) => {
  if (spawnSync("systemd-analyze", ["--version"]).status !== 0) {
    t.skip("needs systemd-analyze");
    return;
  }
  using folder = temporaryFolder();
  const home = folder.join("a b", '50%s "quoted" $HOME \\back');
  mkdirSync(home, { recursive: true });
  // Of a program systemd takes no quotes and no backslashes.
  const node = folder.join("a b", "node 50%s $HOME");
  writeFileSync(node, "#!/bin/sh\n");
  chmodSync(node, 0o755);
  const odd = { home, program: [node, `${home}/ichain.js`] as const, passwordFile: `${home}/password` };
  const all: ServiceSettings[] = [
    ...[provider, requester].map((one) => ({ ...one, ...odd })),
    ...[provider, requester].map((one) => ({ ...one, ...odd, command: "validate" as const, writes: [home] })),
  ];
  for (const [at, settings] of all.entries()) {
    const path = folder.join(`ichain-${at}.service`);
    // This one is not installed where the test runs.
    writeFileSync(path, serviceUnit({ ...settings, needsDocker: false }));
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", path], {
      encoding: "utf8",
    });
    // An older systemd says that it does not know the growing pauses, and leaves them out.
    const said = stderr
      .split("\n")
      .filter((line) => line.includes(`ichain-${at}`) && !/RestartSteps|RestartMaxDelaySec/.test(line));
    assert.deepEqual([status, said], [0, []], stderr);
  }
});

test("a unit that differs is replaced on demand alone", async () => {
  using folder = temporaryFolder();
  const path = folder.join("systemd", "user", "ichain-serve.service");
  assert.equal(await installUnit(path, "one\n", { force: false }), "written");
  assert.equal(await installUnit(path, "one\n", { force: false }), "unchanged");
  await assert.rejects(installUnit(path, "two\n", { force: false }), { code: "SERVICE_EXISTS" });
  assert.equal(await readFile(path, "utf8"), "one\n");
  assert.equal(await installUnit(path, "two\n", { force: true }), "written");
  assert.equal(await readFile(path, "utf8"), "two\n");
  assert.equal((await stat(path)).mode & 0o777, 0o644);
  await writeFile(folder.join("file"), "");
  await assert.rejects(installUnit(folder.join("file", "x.service"), "", { force: false }), {
    code: "SERVICE_UNWRITABLE",
  });
  assert.ok(dirname(path).endsWith("user"));
});
