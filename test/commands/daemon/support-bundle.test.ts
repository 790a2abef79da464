import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { openJournal } from "../../../src/journal/journal.ts";
import type { JobId } from "../../../src/protocol/ids.ts";
import { redactText, redactUrl } from "../../../src/support/redact.ts";
import { ichainRun, temporaryFolder } from "../../support/binary.ts";
import { lastJson } from "../../support/market/market.ts";

const onion = `${"abcdefgh".repeat(7)}.onion`;
const privateKey = "0x8f2a559490cc2a7ab61c32ed3d8060216ee02e4960a83f97bde6ceb39d4b4d5e";
const at = (digit: number) => `0x${String(digit).repeat(40)}`;

/** What the home of the test holds and nothing of which may leave it, by where it is planted. */
const secrets = {
  rpc: "rpcKey9f8e7d6c",
  rpcUser: "rpcUser:rpcPass",
  moreNodes: "secondNodeKey77",
  privateNode: "node7.corp.internal",
  webhook: "webhookToken5511",
  webhookHost: "hooks-of-acme.example",
  command: "notifyArgument3344",
  torrc: "HiddenBridge2468",
  pool: "acme-lab.net",
  poolUser: "operator99",
  direct: "10.20.30.40",
  registry: "registry-of-acme.example",
  denied: at(7),
  network: "otherNetworkKey12",
  keystore: "keystoreCiphertext",
  keyring: "keyringCiphertext",
  password: "correct horse battery",
  onionKey: "onionServiceSecretKey",
  jobFile: "whatTheTaskTrainedOn",
  intent: "sealedLocatorInTheJournal",
  note: "noteOfTheJob4711",
  log: "apiKeyInALog0815",
  logHex: privateKey.slice(12),
  logOnion: onion.slice(0, 40),
  logBare: "hgfedcba".repeat(7),
  logIpv4: "203.0.113.77",
  logIpv6: "2001:db8::dead:beef",
  logToken: "00112233445566778899aabbccddeeff".slice(10),
  logMail: "jane.doe@acme-lab.net",
  logPassword: "hunter2hunter2",
  logBearer: "eyJhbGciOiJIUzI1NiJ9",
  logPlain: "a line that is no JSON",
} as const;

async function plant(home: string): Promise<JobId> {
  const files: Record<string, string> = {
    "config.yaml": JSON.stringify({
      network: {
        ...{ name: "nowhere", chainId: 31337, torrc: `Bridge ${secrets.torrc}` },
        rpcUrl: `http://${secrets.rpcUser}@127.0.0.1:1/v3/${secrets.rpc}`,
        rpcUrls: [`http://127.0.0.1:2/${secrets.moreNodes}`, `http://${secrets.privateNode}:8545/`],
        contracts: { registry: at(1), escrow: at(2), rating: at(3) },
      },
      direct: { address: secrets.direct },
      notify: {
        webhook: `https://${secrets.webhookHost}/services/${secrets.webhook}`,
        command: ["/bin/true", secrets.command],
      },
      pool: [{ name: "rack", url: `ssh://${secrets.poolUser}@gpu-rack.${secrets.pool}:22` }],
      keep: { logDays: 12 },
    }),
    "policy.yaml": JSON.stringify({
      pricePerHour: 0.0042,
      pulledImages: { from: [`${secrets.registry}/team/*`] },
      requesters: { deny: [secrets.denied] },
    }),
    "networks/other.yaml": `rpcUrl: http://127.0.0.1/${secrets.network}\n`,
    "keystore.json": `{"crypto": "${secrets.keystore}"}`,
    keyring: secrets.keyring,
    password: `${secrets.password}\n`,
    "tor/host-1/hs_ed25519_secret_key": secrets.onionKey,
    [`jobs/provider/${"ab".repeat(32)}/in/data.csv`]: secrets.jobFile,
    "logs/ichain.log": [
      ...[
        { level: "info", msg: "The daemon started", provider: true, version: "0.1.0" },
        {
          level: "warn",
          msg: `https://user:pw@mainnet.node.example/${secrets.log} gave 500`,
          job: privateKey,
        },
        { level: "warn", msg: `The chain's node at ${secrets.privateNode} gives no answer`, count: 3 },
        { level: "warn", msg: `The engine on gpu-rack.${secrets.pool} gives no answer` },
        { level: "info", msg: "asked with 0x00112233445566778899aabbccddeeff" },
        { level: "warn", msg: `fetch of http://${onion}:80/x failed`, host: secrets.logBare },
        { level: "warn", msg: `connect ${secrets.logIpv4}:8545, [${secrets.logIpv6}]:80 from ${home}/jobs` },
        {
          level: "error",
          error: `mail to ${secrets.logMail}: password=${secrets.logPassword}`,
          code: "INTERNAL",
        },
        {
          level: "error",
          details: { path: `Authorization: Bearer ${secrets.logBearer}` },
          secret: secrets.log,
        },
      ].map((line) => JSON.stringify({ time: "2026-11-30T08:41:53.001Z", ...line })),
      secrets.logPlain,
      "",
    ].join("\n"),
    "logs/serve.log": `${JSON.stringify({ level: "info", msg: "Acting for jobs" })}\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(`${home}/${name}`), { recursive: true });
    await writeFile(`${home}/${name}`, content, { mode: 0o600 });
  }
  const jobId: JobId = `0x${"5a".repeat(32)}`;
  const journal = openJournal(`${home}/journal.db`, {});
  const record = journal.open("provider", jobId);
  await record.step("accept", { prepare: () => ({ locator: secrets.intent }), act: () => secrets.intent });
  record.note(secrets.note);
  record.finish("done");
  journal.close();
  return jobId;
}

async function unpack(path: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const entries = createReadStream(path).pipe(createGunzip()).pipe(extract());
  for await (const entry of entries) {
    files.set(entry.header.name.replace(/^[^/]+\//, ""), await text(entry as unknown as Readable));
  }
  return files;
}

test("a support bundle holds what helps, and none of the secrets of a home", async () => {
  using home = temporaryFolder();
  const jobId = await plant(home.path);
  const out = home.join("report.tar.gz");
  const env = {
    ...{ ICHAIN_HOME: home.path, ICHAIN_PASSWORD_FILE: home.join("password"), CI: "1" },
    DOCKER_HOST: `unix://${home.join("no.sock")}`,
  };
  const done = await ichainRun(["support-bundle", "--out", out, "--json"], env);
  assert.equal(done.code, 0, done.stderr);
  const printed = lastJson(done.stdout) as { files: { name: string }[] };
  const files = await unpack(out);
  assert.deepEqual(
    [...files.keys()],
    [
      ...["README.txt", "versions.json", "config.json", "policy.json", "doctor.json", "status.json"],
      ...["journal.json", "logs/worker.log", "logs/server.log"],
    ],
  );
  assert.deepEqual(
    printed.files.map(({ name }) => name),
    [...files.keys()],
  );
  assert.equal((await stat(out)).mode & 0o777, 0o600);
  const whole = [...files].map(([name, content]) => `${name}\n${content}`).join("\n");
  for (const [where, secret] of Object.entries({ ...secrets, home: home.path })) {
    const line = whole.split("\n").find((one) => one.includes(secret));
    assert.equal(line, undefined, where);
  }
  const config = JSON.parse(files.get("config.json") ?? "") as {
    keep: { logDays: number };
    network: { rpcUrl: string; rpcUrls: string[]; contracts: { escrow: string } };
  };
  assert.equal(config.keep.logDays, 12);
  assert.equal(config.network.rpcUrl, "http://127.0.0.1/…");
  assert.deepEqual(config.network.rpcUrls, ["http://127.0.0.1/…", "http://<host>/…"]);
  assert.equal(config.network.contracts.escrow, at(2));
  assert.match(files.get("policy.json") ?? "", /"pricePerHour": "4200000000000000"/);
  assert.match(files.get("doctor.json") ?? "", /"name": "node"/);
  const journal = JSON.parse(files.get("journal.json") ?? "") as { newest: Record<string, string>[] };
  assert.deepEqual(
    journal.newest.map(({ role, key, state }) => [role, key, state]),
    [["provider", `${jobId.slice(0, 10)}…`, "done"]],
  );
  const log = (files.get("logs/worker.log") ?? "").trim().split("\n");
  assert.equal(log.length, 9);
  assert.match(log[0]!, /"time":"2026-11-30T08:41:53.001Z".*"msg":"The daemon started","provider":true/);
  assert.match(log[1]!, /"job":"0x8f2a5594…"/);
  assert.match(log[6]!, /connect <address>, <address> from <home>/);
  const again = await ichainRun(["support-bundle", "--out", out, "--json"], env);
  assert.equal((lastJson(again.stdout) as { error: { code: string } }).error.code, "TARGET_EXISTS");
  assert.doesNotMatch(await readFile(home.join("policy.yaml"), "utf8"), /left out/);
});

test("of a URL the host stays where it is loopback or serves many, without the labels before its name", () => {
  for (const [url, left] of [
    ["https://mainnet.infura.io/v3/KEY", "https://infura.io/…"],
    ["https://k3y-name.matic.quiknode.pro/KEY/", "https://quiknode.pro/…"],
    ["https://user:pw@example.org:8443?key=1", "https://<host>/…"],
    ["ssh://me@gpu.example.org:22", "ssh://<host>/…"],
    ["http://localhost:8545/KEY", "http://localhost/…"],
    ["http://[::1]:8545", "http://::1/…"],
    ["http://192.168.0.7:8545", "http://<host>/…"],
    ["http://node1:8545", "http://<host>/…"],
    ["ws://node.corp.internal/", "ws://<host>/…"],
    [`http://${onion}/`, "http://<host>/…"],
    ["unix:///var/run/docker.sock", "unix://<host>/…"],
  ] as const) {
    assert.equal(redactUrl(url), left, url);
  }
});

test("times, versions, accounts and codes stay in a text", () => {
  for (const kept of [
    ["2026-11-30T08:41:53.001Z 08:41:53 0.4.8.10 v24.18.0 1.5 coin, 100 %"],
    [`account ${at(4)}, code HOME_BUSY, 127.0.0.1:8545, ::1, ichain-provide.service`],
    ["ssh, docker: 12 of 13; wait... done (EACCES). image python-ml"],
  ].flat()) {
    assert.equal(redactText(kept), kept);
  }
});
