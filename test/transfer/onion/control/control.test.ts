import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ErrorCode } from "../../../../src/errors/catalogue.ts";
import { isIchainError } from "../../../../src/errors/error.ts";
import { TorControl } from "../../../../src/transfer/onion/control/control.ts";
import { startTorProcess } from "../../../../src/transfer/onion/tor/process.ts";
import { torVersion } from "../../../../src/transfer/onion/tor/version.ts";
import { temporaryFolder } from "../../../support/parcel/blob.ts";
import { needs } from "../../../support/require.ts";

const coded = (code: ErrorCode) => (error: unknown) => isIchainError(error, code);

/** A tor without a network. */
async function offlineTor(t: TestContext, dir: string, torrc: readonly string[] = [], signal?: AbortSignal) {
  const tor = await startTorProcess({
    binary: "tor",
    dir,
    torrc: ["DisableNetwork 1", "SocksPort 0", ...torrc],
    signal,
  });
  t.after(() => tor.stop());
  return tor;
}

test("commands are answered, and a refusal has tor's reply code", needs("tor"), async (t) => {
  const { control } = await offlineTor(t, await temporaryFolder(t));
  assert.match(await control.info("version"), /^0\.4\.\d+/);
  await assert.rejects(control.command("GETINFO no/such/thing"), (error) => {
    assert.ok(isIchainError(error, "TOR_REFUSED"));
    return error.details.status === 552;
  });
  const data = await control.info("config/names");
  assert.ok(data.split("\n").length > 100, "a data block is complete");
  await assert.rejects(control.command("GETINFO version\r\nSIGNAL SHUTDOWN"), coded("TOR_PROTOCOL"));
});

test(
  "an aborted command throws the signal's reason, and the next one gets its own answer",
  needs("tor"),
  async (t) => {
    const { control } = await offlineTor(t, await temporaryFolder(t));
    const abort = new AbortController();
    const waiting = control.command("GETINFO version", { signal: abort.signal });
    abort.abort();
    await assert.rejects(waiting, { name: "AbortError" });
    assert.match(await control.info("version"), /^0\.4/);
  },
);

test("every command to a tor that has exited throws TOR_GONE", needs("tor"), async (t) => {
  const tor = await offlineTor(t, await temporaryFolder(t));
  process.kill(tor.pid, "SIGKILL");
  await tor.control.closed;
  await assert.rejects(tor.control.info("version"), coded("TOR_GONE"));
  await tor.exited;
});

test("a tor ends when the process that owns it is killed", needs("tor"), async (t) => {
  const dir = await temporaryFolder(t);
  const owner = fork(new URL("../../../support/onion/tor-owner-child.ts", import.meta.url), [dir]);
  await once(owner, "message");
  // A second control connection ends with the tor.
  const second = connect(join(dir, "control"));
  await once(second, "connect");
  owner.kill("SIGKILL");
  await once(second, "close");
});

test("aborting the signal of its start does not end a running tor", needs("tor"), async (t) => {
  const abort = new AbortController();
  const { control } = await offlineTor(t, await temporaryFolder(t), [], abort.signal);
  abort.abort();
  assert.match(await control.info("version"), /^0\.4/);
});

test("Ctrl-C in a terminal signals the owner and not its tor", needs("tor"), async (t) => {
  const dir = await temporaryFolder(t);
  // A terminal signals the whole process group: here one of the owner alone.
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

test("no tor has ichain's password in its environment", needs("tor"), async (t) => {
  process.env.ICHAIN_PASSWORD = "open sesame";
  t.after(() => delete process.env.ICHAIN_PASSWORD);
  const { pid } = await offlineTor(t, await temporaryFolder(t));
  const held = await readFile(`/proc/${pid}/environ`, "utf8");
  assert.match(held, /^PATH=|\0PATH=/);
  assert.doesNotMatch(held, /sesame|ICHAIN_/);
});

test("the error of a tor that cannot start has tor's reason", needs("tor"), async (t) => {
  const dir = await temporaryFolder(t);
  await assert.rejects(offlineTor(t, dir, ["NoSuchOption 1"]), (error) => {
    assert.ok(isIchainError(error, "TOR_GONE"));
    return error.message.includes("NoSuchOption");
  });
});

test("a missing tor and one that is too old give different errors", async (t) => {
  const dir = await temporaryFolder(t);
  await assert.rejects(torVersion(join(dir, "tor")), coded("TOR_MISSING"));
  const old = join(dir, "old-tor");
  await writeFile(old, '#!/bin/sh\necho "Tor version 0.4.7.16."\n');
  await chmod(old, 0o755);
  await assert.rejects(torVersion(old), coded("TOR_TOO_OLD"));
});

test("a program that does not know the cookie gets no proof that we know it", async (t) => {
  const dir = await temporaryFolder(t);
  const [socketPath, cookiePath] = [join(dir, "control"), join(dir, "cookie")];
  await writeFile(cookiePath, Buffer.alloc(32, 7));
  const received: string[] = [];
  const impostor = createServer((socket: Socket) => {
    socket.setEncoding("utf8").on("data", (line: string) => {
      received.push(line);
      const zeros = "0".repeat(64);
      socket.write(`250 AUTHCHALLENGE SERVERHASH=${zeros} SERVERNONCE=${zeros}\r\n`);
    });
  }).listen(socketPath);
  t.after(() => impostor.close());
  await once(impostor, "listening");
  await assert.rejects(TorControl.open({ socketPath, cookiePath }), coded("TOR_PROTOCOL"));
  assert.equal(received.length, 1);
  assert.match(received[0]!, /^AUTHCHALLENGE /);
});

/** Field 5 of /proc/PID/stat. */
async function processGroup(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}

test(
  "a data folder may have spaces, quotes, a hash and letters of any script in its name",
  needs("tor"),
  async (t) => {
    const dir = join(await temporaryFolder(t), 'my # "home" \\ année');
    const { control } = await offlineTor(t, dir);
    assert.match(await control.info("version"), /^0\.4/);
    assert.ok((await readFile(join(dir, "control_auth_cookie"))).length === 32);
    assert.ok((await readFile(join(dir, "lock"))).length === 0, "its data is in that folder");
  },
);
