import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isIchainError } from "../../../../src/errors/error.ts";
import { TorControl } from "../../../../src/transfer/onion/control/control.ts";
import { startTorProcess } from "../../../../src/transfer/onion/tor/process.ts";
import { torVersion } from "../../../../src/transfer/onion/tor/version.ts";
import { temporaryFolder } from "../../../support/parcel/blob.ts";
import { requireTor } from "../../../support/require.ts";

const coded = (code: string) => (error: unknown) => isIchainError(error, code);

/** A tor that talks to nobody but us. */
async function quietTor(t: TestContext, dir: string, torrc: readonly string[] = [], signal?: AbortSignal) {
  const tor = await startTorProcess({
    binary: "tor",
    dir,
    torrc: ["DisableNetwork 1", "SocksPort 0", ...torrc],
    signal,
  });
  t.after(() => tor.stop());
  return tor;
}

test("commands are answered, and refusals carry tor's own words", async (t) => {
  if (!requireTor(t)) return;
  const { control } = await quietTor(t, await temporaryFolder(t));
  assert.match(await control.info("version"), /^0\.4\.\d+/);
  await assert.rejects(control.command("GETINFO no/such/thing"), (error) => {
    assert.ok(isIchainError(error, "TOR_REFUSED"));
    return error.details.status === 552;
  });
  const data = await control.info("config/names");
  assert.ok(data.split("\n").length > 100, "a data block comes whole");
  assert.throws(() => control.command("GETINFO version\r\nSIGNAL SHUTDOWN"), coded("TOR_PROTOCOL"));
});

test("a command that is aborted throws the signal's reason, and the next one is answered right", async (t) => {
  if (!requireTor(t)) return;
  const { control } = await quietTor(t, await temporaryFolder(t));
  const abort = new AbortController();
  const waiting = control.command("GETINFO version", { signal: abort.signal });
  abort.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  assert.match(await control.info("version"), /^0\.4/);
});

test("whatever is asked of a tor that is gone throws TOR_GONE", async (t) => {
  if (!requireTor(t)) return;
  const tor = await quietTor(t, await temporaryFolder(t));
  process.kill(tor.pid, "SIGKILL");
  await tor.control.closed;
  await assert.rejects(tor.control.info("version"), coded("TOR_GONE"));
  await tor.exited;
});

test("a tor ends when the process that owns it is killed", async (t) => {
  if (!requireTor(t)) return;
  const dir = await temporaryFolder(t);
  const owner = fork(new URL("../../../support/onion/tor-owner-child.ts", import.meta.url), [dir]);
  await once(owner, "message");
  // A second control connection ends with the tor.
  const witness = connect(join(dir, "control"));
  await once(witness, "connect");
  owner.kill("SIGKILL");
  await once(witness, "close");
});

test("a tor that is up outlives an abort of its start", async (t) => {
  if (!requireTor(t)) return;
  const abort = new AbortController();
  const { control } = await quietTor(t, await temporaryFolder(t), [], abort.signal);
  abort.abort();
  assert.match(await control.info("version"), /^0\.4/);
});

test("Ctrl-C in a terminal reaches the owner and leaves its tor to it", async (t) => {
  if (!requireTor(t)) return;
  const dir = await temporaryFolder(t);
  // The terminal signals the whole process group: the owner's own here.
  const owner = fork(new URL("../../../support/onion/tor-owner-child.ts", import.meta.url), [dir], {
    detached: true,
  });
  t.after(() => owner.kill("SIGKILL"));
  const [pid] = await once(owner, "message");
  process.kill(-owner.pid!, "SIGINT");
  assert.match((await once(owner, "message"))[0], /^0\.4/);
  process.kill(pid, 0);
  assert.equal(await processGroup(pid), pid);
});

test("no tor has our password in its environment, where whoever reads that of one process finds it", async (t) => {
  if (!requireTor(t)) return;
  process.env.ICHAIN_PASSWORD = "open sesame";
  t.after(() => delete process.env.ICHAIN_PASSWORD);
  const { pid } = await quietTor(t, await temporaryFolder(t));
  const held = await readFile(`/proc/${pid}/environ`, "utf8");
  assert.match(held, /^PATH=|\0PATH=/);
  assert.doesNotMatch(held, /sesame|ICHAIN_/);
});

test("a tor that cannot start says why", async (t) => {
  if (!requireTor(t)) return;
  const dir = await temporaryFolder(t);
  await assert.rejects(quietTor(t, dir, ["NoSuchOption 1"]), (error) => {
    assert.ok(isIchainError(error, "TOR_GONE"));
    return error.message.includes("NoSuchOption");
  });
});

test("a missing tor and one that is too old are told apart", async (t) => {
  const dir = await temporaryFolder(t);
  await assert.rejects(torVersion(join(dir, "tor")), coded("TOR_MISSING"));
  const old = join(dir, "old-tor");
  await writeFile(old, '#!/bin/sh\necho "Tor version 0.4.7.16."\n');
  await chmod(old, 0o755);
  await assert.rejects(torVersion(old), coded("TOR_TOO_OLD"));
});

test("what is no tor gets no proof that we know the cookie", async (t) => {
  const dir = await temporaryFolder(t);
  const [socketPath, cookiePath] = [join(dir, "control"), join(dir, "cookie")];
  await writeFile(cookiePath, Buffer.alloc(32, 7));
  const heard: string[] = [];
  const impostor = createServer((socket: Socket) => {
    socket.setEncoding("utf8").on("data", (line: string) => {
      heard.push(line);
      const lie = "0".repeat(64);
      socket.write(`250 AUTHCHALLENGE SERVERHASH=${lie} SERVERNONCE=${lie}\r\n`);
    });
  }).listen(socketPath);
  t.after(() => impostor.close());
  await once(impostor, "listening");
  await assert.rejects(TorControl.open({ socketPath, cookiePath }), coded("TOR_PROTOCOL"));
  assert.equal(heard.length, 1);
  assert.match(heard[0]!, /^AUTHCHALLENGE /);
});

/** Field 5 of /proc/PID/stat. */
async function processGroup(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}

test("a home may have spaces, quotes, a hash, and letters of any script in its name", async (t) => {
  if (!requireTor(t)) return;
  const dir = join(await temporaryFolder(t), 'my # "home" \\ année');
  const { control } = await quietTor(t, dir);
  assert.match(await control.info("version"), /^0\.4/);
  assert.ok((await readFile(join(dir, "control_auth_cookie"))).length === 32);
  assert.ok((await readFile(join(dir, "lock"))).length === 0, "its data lies in the folder that was meant");
});
