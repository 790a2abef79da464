import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { createNotifier, type NotifySettings } from "../../src/notify/notifier.ts";
import { type LogFacts, silentLogger } from "../../src/ports/logger.ts";
import type { Address, JobId } from "../../src/protocol/ids.ts";
import { makeCertificates } from "../support/sandbox/certificates.ts";
import { startSocksServer } from "../support/socks-server.ts";

const account = `0x${"ab".repeat(20)}` as Address;
const job = `0x${"cd".repeat(32)}` as JobId;

function keepingLogger() {
  const warned: (LogFacts | undefined)[] = [];
  return {
    warned,
    logger: { ...silentLogger, warn: (_: string, facts?: LogFacts) => void warned.push(facts) },
  };
}

it("tells a command on its standard input and a webhook, in order, without the parent's secrets", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "ichain-notify-"));
  t.after(() => rm(dir, { recursive: true }));
  const file = join(dir, "told");
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(Buffer.concat(await request.toArray()).toString());
    response.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  process.env.ICHAIN_TEST_SECRET = "hidden";
  t.after(() => delete process.env.ICHAIN_TEST_SECRET);
  const { warned, logger } = keepingLogger();
  const command = ["sh", "-c", `cat >> ${file}; echo "\${ICHAIN_TEST_SECRET-none}" >> ${file}`];
  const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  {
    await using notifier = createNotifier({ command, webhook }, { account, logger });
    notifier.tell({ event: "done", job, text: "The job ended Settled." });
    notifier.tell({ event: "needs-you", job, text: "It is left as it is." });
  }
  const told = [
    { version: 1, account, event: "done", job, text: "The job ended Settled." },
    { version: 1, account, event: "needs-you", job, text: "It is left as it is." },
  ].map((one) => JSON.stringify(one));
  assert.equal(await readFile(file, "utf8"), told.map((one) => `${one}\nnone\n`).join(""));
  assert.deepEqual(bodies, told);
  assert.deepEqual(warned, []);
});

it("logs what cannot be delivered, follows no redirect, and goes on", async (t) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url!);
    response.writeHead(request.url === "/moved" ? 302 : 500, { location: "/elsewhere" }).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { warned, logger } = keepingLogger();
  for (const settings of [
    { command: ["/nonexistent/program"] },
    { command: ["sh", "-c", "exit 3"] },
    { webhook: `${url}/moved` },
    { webhook: `${url}/broken` },
  ]) {
    await using notifier = createNotifier(settings, { account, logger });
    notifier.tell({ event: "failed", job, text: "It failed." });
  }
  assert.deepEqual(
    warned.map((facts) => facts?.way),
    ["command", "command", "webhook", "webhook"],
  );
  assert.deepEqual(seen, ["/moved", "/broken"]);
});

it("ends a way that hangs, and drops what comes while too many wait", async (t) => {
  const silent = createServer(() => undefined);
  await once(silent.listen(0, "127.0.0.1"), "listening");
  t.after(() => silent.close());
  const { warned, logger } = keepingLogger();
  const tell = async (settings: NotifySettings, times: number) => {
    await using notifier = createNotifier(settings, { account, logger, timeoutMs: 5 });
    for (let i = 0; i < times; i += 1) notifier.tell({ event: "done", job, text: "Done." });
  };
  await tell({ command: ["sh", "-c", "exec sleep 1000"] }, 1);
  await tell({ webhook: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/` }, 103);
  silent.closeAllConnections();
  const ways = warned.map((facts) => facts?.way);
  assert.deepEqual([ways[0], ways.filter((way) => way === undefined).length], ["command", 3]);
  assert.equal(ways.filter((way) => way === "webhook").length, 100);
});

it("reaches a webhook through tor's port by its name alone, and gives the port to a command", async (t) => {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(`${request.headers.host} ${request.url} ${Buffer.concat(await request.toArray())}`);
    response.end("ok");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const { asked, proxy } = await startSocksServer(t, (server.address() as AddressInfo).port);
  const dir = await mkdtemp(join(tmpdir(), "ichain-notify-"));
  t.after(() => rm(dir, { recursive: true }));
  const { warned, logger } = keepingLogger();
  const command = ["sh", "-c", `echo "$ALL_PROXY $https_proxy" > ${dir}/proxy`];
  const settings = { command, webhook: "http://owner.example:8080/hook?x=1", through: "tor" as const };
  {
    await using notifier = createNotifier(settings, { account, logger, proxy: async () => proxy });
    notifier.tell({ event: "done", job, text: "Done." });
  }
  const body = JSON.stringify({ version: 1, account, event: "done", job, text: "Done." });
  assert.deepEqual(bodies, [`owner.example:8080 /hook?x=1 ${body}`]);
  assert.deepEqual(asked, ["owner.example:8080"]);
  const url = `socks5h://127.0.0.1:${proxy.port}`;
  assert.equal(await readFile(join(dir, "proxy"), "utf8"), `${url} ${url}\n`);
  assert.deepEqual(warned, []);
});

it("sends nothing directly when there is no tor, and trusts no certificate that it cannot check", async (t) => {
  let reached = 0;
  const dir = await mkdtemp(join(tmpdir(), "ichain-notify-"));
  t.after(() => rm(dir, { recursive: true }));
  makeCertificates(dir);
  const [key, cert] = await Promise.all(
    ["server.key", "server.pem"].map((name) => readFile(join(dir, name))),
  );
  const server = createTlsServer({ key: key!, cert: cert! }, () => {
    reached += 1;
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { proxy } = await startSocksServer(t, port);
  const { warned, logger } = keepingLogger();
  const refuses = () => Promise.reject(new Error("no network"));
  for (const way of [refuses, async () => proxy]) {
    const webhook = `https://localhost:${port}/`;
    await using notifier = createNotifier({ webhook, through: "tor" }, { account, logger, proxy: way });
    notifier.tell({ event: "done", job, text: "Done." });
  }
  assert.deepEqual([warned[0]?.why, reached], ["no network", 0]);
  assert.match(String(warned[1]?.why), /certificate/);
});
