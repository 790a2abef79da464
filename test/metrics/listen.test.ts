import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { type Control, type DaemonView, openControl } from "../../src/control/control.ts";
import type { Health } from "../../src/control/messages.ts";
import { serveMetrics } from "../../src/metrics/listen.ts";
import { createTally } from "../../src/metrics/tally.ts";
import type { Address } from "../../src/protocol/ids.ts";
import { random32 } from "../support/chain/terms.ts";
import { scratch } from "../support/parcel/parcels.ts";

const account: Address = `0x${"ab".repeat(20)}`;
const COIN_ADDRESS: Address = `0x${"00".repeat(20)}`;

const view = (health: Health): DaemonView => ({
  account,
  roles: ["provider"],
  unfinished: () => [{ role: "provider", jobId: random32(), since: 1_700_000_000 }],
  health: async () => health,
  earnings: async () => [
    { token: { address: COIN_ADDRESS, symbol: "coin", decimals: 18 }, amount: "1500000000000000000" },
    { token: { address: account, symbol: 'a"b\n\\', decimals: 6 }, amount: "-2000000" },
  ],
  figures: async () => ({
    jobs: [{ role: "provider", state: "Settled", count: 7 }],
    waiting: [{ role: "provider", count: 2 }],
    ...{ balance: 10n ** 19n, stake: 10n ** 18n, lockedStake: 0n, slashed: 0n, gas: 25n * 10n ** 15n },
  }),
  reload: async () => undefined,
});

async function served(t: TestContext, health?: Health) {
  const { signal } = new AbortController();
  const reporter = { emit: () => undefined };
  const control: Control = await openControl(
    { home: await scratch(t), kind: "worker" },
    { reporter, signal },
  );
  if (health) control.show(view(health));
  const tally = createTally();
  const metrics = await serveMetrics({ port: 0, control, tally });
  t.after(async () => {
    await metrics[Symbol.asyncDispose]();
    await control[Symbol.asyncDispose]();
  });
  return { ...metrics, tally, control };
}

async function ask(
  port: number,
  path: string,
  { method = "GET", host = `127.0.0.1:${port}` }: { method?: string; host?: string } = {},
) {
  const asking = request({ host: "127.0.0.1", port, path, method, headers: { host }, agent: false });
  asking.end();
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  const body = Buffer.concat((await response.toArray()) as Buffer[]).toString();
  return { status: response.statusCode, type: response.headers["content-type"], body };
}

const working: Health = [{ name: "chain", ok: true, found: "answers" }];

test("Prometheus reads what a daemon does, earns and leans on", async (t) => {
  const { port, tally } = await served(t, [
    ...working,
    { name: "tor", ok: false, found: "is being started again" },
  ]);
  const { emit } = tally.tap({ emit: () => undefined });
  const job = random32();
  emit({ kind: "start", id: "fetch-0x1", text: "", job });
  emit({ kind: "progress", id: "fetch-0x1", text: "", done: 600, total: 1000, job });
  emit({ kind: "progress", id: "fetch-0x1", text: "", done: 1000, total: 1000, job });
  emit({ kind: "end", id: "fetch-0x1", text: "", job });
  emit({ kind: "start", id: "run-1", text: "", job });
  emit({ kind: "warn", text: "" });
  const { status, type, body } = await ask(port, "/metrics");
  assert.deepEqual([status, type], [200, "text/plain; version=0.0.4; charset=utf-8"]);
  const lines = body.split("\n");
  for (const line of [
    'ichain_state{state="working"} 1',
    'ichain_state{state="draining"} 0',
    "ichain_jobs_unfinished 1",
    'ichain_jobs{role="provider",state="Settled"} 7',
    'ichain_jobs_waiting{role="provider"} 2',
    'ichain_health{of="chain"} 1',
    'ichain_health{of="tor"} 0',
    `ichain_paid{token="${COIN_ADDRESS}",symbol="coin"} 1.5`,
    `ichain_paid{token="${account}",symbol="a\\"b\\n\\\\"} -2`,
    "ichain_balance_coin 10",
    "ichain_stake_coin 1",
    "ichain_slashed_coin 0",
    "ichain_gas_coin 0.025",
    'ichain_steps_total{step="fetch",outcome="ended"} 1',
    'ichain_steps_open{step="run"} 1',
    "ichain_fetched_bytes_total 1000",
    "ichain_warnings_total 1",
  ]) {
    assert.ok(lines.includes(line), `${line}\n${body}`);
  }
  assert.match(body, /^process_start_time_seconds \d+/m);
  assert.match(body, /^ichain_info\{version="[\d.]+",kind="worker",account="0xabab/m);
  // Every sample belongs to a metric that is described, and none is repeated.
  const samples = lines.filter((line) => line !== "" && !line.startsWith("#"));
  for (const line of samples) assert.match(line, /^[a-z_0-9]+(\{.*\})? (-?[\d.e+-]+|nan|[+-]inf)$/i, line);
  assert.equal(new Set(samples.map((line) => line.replace(/ [^ ]+$/, ""))).size, samples.length);
});

test("what the chain does not tell is left out, and is not shown as 0", async (t) => {
  const { port, control } = await served(t);
  const starting = await ask(port, "/metrics");
  assert.ok(starting.body.includes('ichain_state{state="starting"} 1'));
  assert.doesNotMatch(starting.body, /^ichain_(balance|stake|gas|slashed)_coin /m);
  assert.equal(await control.figures(), undefined);
});

test("health is 200 where nothing lacks, else 503 with what does", async (t) => {
  const well = await served(t, working);
  assert.deepEqual(
    [(await ask(well.port, "/healthz")).status, JSON.parse((await ask(well.port, "/healthz")).body)],
    [200, { ok: true, kind: "worker", state: "working", lacking: [] }],
  );
  const ill = await served(t, [...working, { name: "funds", ok: false, found: "0 coin" }]);
  const { status, body } = await ask(ill.port, "/healthz");
  assert.deepEqual(
    [status, JSON.parse(body)],
    [503, { ok: false, kind: "worker", state: "working", lacking: [{ name: "funds", found: "0 coin" }] }],
  );
  const starting = await served(t);
  assert.equal((await ask(starting.port, "/healthz")).status, 200);
});

test("only a GET of these two pages by the address itself is answered", async (t) => {
  const { port } = await served(t, working);
  const status = async (path: string, options = {}) => (await ask(port, path, options)).status;
  assert.equal(await status("/metrics", { host: `localhost:${port}` }), 200);
  for (const host of [
    "evil.example",
    `evil.example:${port}`,
    "127.0.0.1",
    `127.0.0.1:${port + 1}`,
    `[::1]:${port}`,
  ]) {
    assert.equal(await status("/metrics", { host }), 403, host);
  }
  for (const method of ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"]) {
    assert.equal(await status("/healthz", { method }), 405, method);
  }
  for (const path of ["/", "/metrics/", "/metrics?x=1", "/../metrics", "/%6detrics", "http://a/metrics"]) {
    assert.equal(await status(path), 404, path);
  }
});

test("a request that is too long or comes too slowly ends, and so do too many at once", async (t) => {
  const { port } = await served(t, working);
  const long = connect(port, "127.0.0.1");
  long.write(`GET /metrics HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx: ${"x".repeat(8192)}\r\n\r\n`);
  assert.match(Buffer.concat(await long.toArray()).toString(), /^HTTP\/1\.1 431 /);
  const idle = Array.from({ length: 8 }, () => connect(port, "127.0.0.1"));
  await Promise.all(idle.map((socket) => once(socket, "connect")));
  const more = connect(port, "127.0.0.1");
  more.on("error", () => undefined);
  await once(more, "close");
  for (const socket of idle) socket.destroy();
});

test("a port that is taken is an error of its own", async (t) => {
  const { port, control, tally } = await served(t, working);
  await assert.rejects(serveMetrics({ port, control, tally }), { code: "METRICS_FAILED" });
});
