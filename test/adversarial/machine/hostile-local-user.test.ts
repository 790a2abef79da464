import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { DEVNET_PASSWORD, type Home } from "../../../src/devnet/homes.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import { createDirectTransport } from "../../../src/transfer/direct/direct-transport.ts";
import { lifo } from "../../support/lifo.ts";
import { startTestMarket, type TestMarket } from "../../support/market/market.ts";
import { asNobody } from "../../support/nobody.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { scratch } from "../../support/parcel/parcels.ts";
import { requireDocker, requireProgram, requireRoot, requireTor } from "../../support/require.ts";

const run = promisify(execFile);

const SECRET = "a line that only the parties of the job may read";
const task = `
import sys, time
print(${JSON.stringify(SECRET)}, flush=True)
open("/out/model", "w").write("weights")
time.sleep(600)
`;
const job = {
  version: 1,
  name: "secret",
  image: "python-ml",
  command: ["python3", "task.py"],
  inputs: ["task.py"],
  outputs: ["model"],
  resources: { memory: "256 MiB", disk: "1 MiB" },
  verification: { metric: "acc", threshold: 0.5 },
};

test("a local user finds nothing to read or to use of a market that runs a job", {
  timeout: 240_000,
}, async (t) => {
  if (!requireRoot(t) || !requireDocker(t) || !requireTor(t) || !requireProgram(t, "setpriv")) return;
  const later = lifo(t);
  const umask = process.umask(0o022);
  later.after(() => process.umask(umask));
  const tmp = await sharedTmp(later);
  const market = await startTestMarket(later);
  const homes = [market.requester, ...market.providers, ...market.validators];
  // As people make them who mean no harm: the folders above ichain's own files are open to everybody.
  for (const dir of [market.dir, ...homes.map((home) => home.dir)]) chmodSync(dir, 0o755);
  await startJob(later, market);
  const all = (await find(tmp)).map((path) => path.slice(tmp.length));
  const has = (pattern: RegExp) =>
    assert.ok(
      all.some((path) => pattern.test(path)),
      `${pattern}`,
    );

  await t.test("keystores, passwords, keyrings, journals and indices", async () => {
    for (const name of ["keystore.json", "keyring", "password", "journal.db", "index.db"]) {
      for (const home of homes.slice(1)) await closed(join(home.dir, name));
    }
  });

  await t.test("tor's control sockets and their cookies, and the sockets that onions lead to", async () => {
    has(/provider-1\/tor\/.*control_auth_cookie$/);
    const sockets = await find(tmp, "-type", "s");
    assert.ok(sockets.length > 10, `${sockets.length} sockets`);
    for (const path of [...sockets, "/var/run/docker.sock"])
      assert.equal(await connectAsNobody(path), "EACCES", path);
  });

  await t.test("a task's disk, the folder it is mounted at, its inputs and its log", async () => {
    for (const name of [/\/out\/model$/, /\/out\.img$/, /\/in\/task\.py$/]) has(name);
    const said = await asNobody(["grep", "-rls", SECRET, tmp]);
    assert.equal(said.stdout, "");
  });

  await t.test("the logs of the devnet and its relays' keys", async () => {
    has(/provider-1\.log$/);
    has(/tornet\/.*secret_id_key$/);
  });

  await t.test(
    "and whatever else there is, $TMPDIR included: no file, no socket, no folder to write to",
    async () => {
      const reach = ["(", "-type", "f", "-readable", "-o", "!", "-type", "l", "-writable", ")"];
      const { stdout } = await asNobody(["find", tmp, "-mindepth", "1", ...reach]);
      assert.deepEqual(stdout.split("\n").filter(Boolean), []);
    },
  );

  await t.test("the environment of daemons and their tors; no command line names a secret", async () => {
    const processes = processesOf(tmp);
    const keys = market.evm.accounts.map(({ privateKey }) => privateKey.slice(2));
    const secrets = [...keys, DEVNET_PASSWORD, "ED25519-V3"];
    const tors = processes.filter(({ command }) => /^[^\0]*tor\0/.test(command));
    assert.ok(tors.length > 8 && processes.length >= tors.length + 2, `${processes.length} processes`);
    for (const { pid, command } of processes) {
      assert.notEqual((await asNobody(["cat", `/proc/${pid}/environ`])).code, 0);
      for (const secret of secrets) assert.ok(!command.includes(secret), command);
    }
    for (const { pid } of tors) assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, "utf8"), /ICHAIN_/);
  });

  await t.test(
    "only a devnet's chain, whose keys are public, answers everybody, as docs/limits.md says",
    async () => {
      const ask = `fetch(${JSON.stringify(market.network.rpcUrl)}, { method: "POST", headers: { "content-type": "application/json" },
      body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}' }).then(async (r) => console.log(await r.text()))`;
      assert.match((await asNobody([process.execPath, "-e", ask])).stdout, /"result"/);
      const limits = readFileSync(new URL("../../../docs/limits.md", import.meta.url), "utf8");
      for (const what of [/SOCKS port/, /devnet's chain/, /direct transport's ports/])
        assert.match(limits, what);
    },
  );
});

test("a local user who reaches a direct hosting's port gets nothing without a token", async (t) => {
  if (!requireRoot(t) || !requireProgram(t, "setpriv")) return;
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  t.after(() => transport.stop());
  const blob = await makeBlob(await scratch(t), 5000);
  const identity = await transport.newIdentity();
  await transport.host({ identity, blobs: [blob], readers: [] });
  for (const token of ["", toHex(randomBytes(16)).slice(2)]) {
    const url = `http://${identity.endpoint.address}/v1/${blob.root.slice(2)}/data`;
    const headers = { authorization: `Bearer ${token}`, range: "bytes=0-9" };
    const ask = `fetch(${JSON.stringify(url)}, { headers: ${JSON.stringify(headers)} })
      .then(async (r) => console.log(r.status, (await r.arrayBuffer()).byteLength))`;
    assert.equal((await asNobody([process.execPath, "-e", ask])).stdout, "403 0\n");
  }
});

/** A folder for temporary files that everybody shares, as /tmp is, for this process and all that it starts. */
async function sharedTmp(t: Pick<TestContext, "after">): Promise<string> {
  const dir = await scratch(t);
  chmodSync(dir, 0o1777);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = dir;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  return dir;
}

/** Posts a job and resolves once the provider's task has printed. */
async function startJob(t: Pick<TestContext, "after">, market: TestMarket): Promise<void> {
  const folder = join(market.requester.dir, "mine");
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, "task.py"), task);
  writeFileSync(join(folder, "job.yaml"), stringify(job));
  const chosen = ["--provider", "best", "--validator", "best", "--wait"];
  const submitting = market.launch(["submit", join(folder, "job.yaml"), ...chosen]);
  t.after(() => void submitting.kill("SIGKILL"));
  const { id } = await market.state("Accepted");
  await printed(t, market, id, market.providers[0]!);
}

async function printed(
  t: Pick<TestContext, "after">,
  market: TestMarket,
  id: string,
  home: Home,
): Promise<void> {
  const following = market.launch(["logs", id, "--follow"], home);
  t.after(() => void following.kill("SIGKILL"));
  await new Promise<void>((resolve, reject) => {
    following.stdout?.once("data", () => resolve());
    following.once("close", () => reject(new Error("it ended before it showed anything")));
  });
}

/** Everything below `dir`, as root sees it. */
async function find(dir: string, ...what: string[]): Promise<string[]> {
  const { stdout } = await run("find", [dir, ...what], { maxBuffer: 1 << 26 });
  return stdout.split("\n").filter(Boolean);
}

/** There, and shut to others in each way. */
async function closed(path: string): Promise<void> {
  for (const how of ["-r", "-w"])
    assert.notEqual((await asNobody(["test", how, path])).code, 0, `${how} ${path}`);
  readFileSync(path);
}

async function connectAsNobody(path: string): Promise<string> {
  const connect = `require("node:net").connect(${JSON.stringify(path)})
    .on("connect", () => { console.log("connected"); process.exit(); }).on("error", (e) => console.log(e.code))`;
  return (await asNobody([process.execPath, "-e", connect])).stdout.trim();
}

/** The processes of a devnet below `dir`: by their environment, or by the torrc on their command line. */
function processesOf(dir: string): { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
        const held = readFileSync(`/proc/${name}/environ`, "utf8");
        const ours = held.includes(`ICHAIN_HOME=${dir}`) || command.includes(`${dir}/`);
        return ours ? [{ pid: Number(name), command }] : [];
      } catch {
        return []; // it ended meanwhile
      }
    });
}
