import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Control, openControl } from "../../src/control/control.ts";
import { CONTROL_VERSION, MAX_REQUEST_BYTES, MAX_WARNINGS } from "../../src/control/messages.ts";
import { reachDaemon } from "../../src/control/reach.ts";
import { IchainError } from "../../src/errors/error.ts";
import type { ProgressEvent } from "../../src/ports/reporter.ts";
import type { Address } from "../../src/protocol/ids.ts";
import { bareEnvironment } from "../support/binary.ts";
import { random32 } from "../support/chain/terms.ts";
import { scratch } from "../support/parcel/parcels.ts";
import { needs } from "../support/require.ts";

const account: Address = `0x${"ab".repeat(20)}`;
const { signal } = new AbortController();

interface Opened {
  readonly home: string;
  readonly control: Control;
  readonly reported: ProgressEvent[];
  readonly callers: AbortController;
}

/** The control of a worker in a home of its own, or in `home`. */
async function opened(t: TestContext, home?: string): Promise<Opened> {
  const folder = home ?? (await scratch(t));
  const reported: ProgressEvent[] = [];
  const callers = new AbortController();
  const reporter = { emit: (event: ProgressEvent) => void reported.push(event) };
  const control = await openControl({ home: folder, kind: "worker" }, { reporter, signal: callers.signal });
  t.after(() => control[Symbol.asyncDispose]());
  return { home: folder, control, reported, callers };
}

async function reached(t: TestContext, home: string) {
  const daemon = await reachDaemon(home, "worker", { signal });
  assert.ok(daemon);
  t.after(() => daemon[Symbol.dispose]());
  return daemon;
}

const socketOf = (home: string) => join(home, "control", "worker.sock");

/** What the daemon sends on a connection that sends `text`, until it closes it. */
async function replies(home: string, text: string): Promise<Record<string, unknown>[]> {
  const socket: Socket = connect(socketOf(home));
  socket.end(text);
  const all = Buffer.concat(await socket.toArray()).toString();
  return all
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const codes = (lines: Record<string, unknown>[]) =>
  lines.map(({ error }) => (error as { code?: string } | undefined)?.code);

test("a daemon says what it does, from its start to its end", async (t) => {
  const { home, control } = await opened(t);
  assert.equal(await reachDaemon(home, "server", { signal }), undefined);
  const daemon = await reached(t, home);
  const starting = await daemon.ask("status");
  assert.deepEqual(
    [starting.state, starting.pid, starting.jobs, starting.health],
    ["starting", process.pid, [], []],
  );
  const job = { role: "provider", jobId: random32(), since: 1_700_000_000 } as const;
  const health = [{ name: "chain", ok: false, found: "silent" }] as const;
  control.show({
    ...{
      account,
      roles: ["provider"],
      unfinished: () => [job],
      health: async () => [...health],
      earnings: async () => [],
      figures: () => Promise.reject(new Error("silent")),
    },
    reload: () => Promise.reject(new IchainError("POLICY_INVALID", "Line 1 is wrong.")),
  });
  control.reporter.emit({ kind: "warn", text: "The host is silent", job: job.jobId });
  const working = await daemon.ask("status");
  assert.deepEqual([working.state, working.account, working.unfinished], ["working", account, 1]);
  assert.deepEqual(working.jobs, [{ ...job, doing: "The host is silent" }]);
  assert.deepEqual(working.health, health);
  assert.deepEqual(
    working.warnings.map((one) => [one.text, one.job]),
    [["The host is silent", job.jobId]],
  );
  assert.deepEqual(await daemon.ask("drain"), { kind: "worker", state: "draining", unfinished: 1 });
  assert.equal(control.draining.aborted, true);
  assert.equal(control.isEndedByOwner, false);
  const ending = once(control.signal, "abort");
  assert.equal((await daemon.ask("stop")).state, "stopping");
  await ending;
  assert.equal(control.isEndedByOwner, true);
  await control[Symbol.asyncDispose]();
  await daemon.ended();
  assert.equal(await reachDaemon(home, "worker", { signal }), undefined);
});

test("a policy that is refused is refused with its own error", async (t) => {
  const { home, control } = await opened(t);
  await assert.rejects((await reached(t, home)).ask("reload"), { code: "CONTROL_REFUSED" });
  let reads = 0;
  control.show({
    ...{
      account,
      roles: ["provider"],
      unfinished: () => [],
      health: async () => [],
      earnings: async () => [],
      figures: () => Promise.reject(new Error("silent")),
    },
    reload: async () => {
      reads += 1;
      if (reads === 1) throw new IchainError("POLICY_INVALID", "Line 1 is wrong.");
    },
  });
  await assert.rejects((await reached(t, home)).ask("reload"), { code: "POLICY_INVALID" });
  assert.equal((await (await reached(t, home)).ask("reload")).state, "working");
});

test("a signal that the caller aborts is no wish of the owner's", async (t) => {
  const { control, callers } = await opened(t);
  callers.abort();
  assert.deepEqual([control.signal.aborted, control.isEndedByOwner], [true, false]);
});

test("requests that are not understood are refused, and the next connection is served", async (t) => {
  const { home } = await opened(t);
  const line = (request: object) => `${JSON.stringify(request)}\n`;
  const version = CONTROL_VERSION;
  const bad: readonly [sent: string, code: string | undefined][] = [
    ["{\n", "CONTROL_INVALID"],
    ["\u0000\n", "CONTROL_INVALID"],
    ["null\n", "CONTROL_INVALID"],
    ["[]\n", "CONTROL_INVALID"],
    [line({ version, request: "shutdown" }), "CONTROL_INVALID"],
    [line({ version, request: "status", more: 1 }), "CONTROL_INVALID"],
    [line({ version, request: "follow", job: "0x12" }), "CONTROL_INVALID"],
    [line({ version, request: "__proto__" }), "CONTROL_INVALID"],
    [line({ request: "stop" }), "CONTROL_INVALID"],
    [line({ version: version + 1, request: "stop" }), "CONTROL_VERSION"],
    ["x".repeat(MAX_REQUEST_BYTES), "CONTROL_INVALID"],
    [`${"x".repeat(MAX_REQUEST_BYTES)}\n`, "CONTROL_INVALID"],
  ];
  for (const [sent, code] of bad) assert.deepEqual(codes(await replies(home, sent)), [code], sent);
  // A line that was cut off asks for nothing.
  assert.deepEqual(await replies(home, line({ version, request: "stop" }).trimEnd()), []);
  const several = await replies(home, line({ version, request: "status" }).repeat(3));
  assert.deepEqual([several.length, codes(several)], [3, [undefined, undefined, undefined]]);
});

test("a daemon serves a bounded number of connections", async (t) => {
  const { home } = await opened(t);
  const sockets = Array.from({ length: 40 }, () => connect(socketOf(home)));
  const outcomes = await Promise.all(
    sockets.map(async (socket) => {
      socket.on("error", () => undefined);
      socket.write(`${JSON.stringify({ version: CONTROL_VERSION, request: "status" })}\n`);
      return new Promise<boolean>((resolve) => {
        socket.once("data", () => resolve(true));
        socket.once("close", () => resolve(false));
      });
    }),
  );
  assert.equal(outcomes.filter((answered) => answered).length, 16);
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, "close")));
});

test("a follower sees what is reported of its job, and progress four times a second at most", async (t) => {
  const { home, control, reported } = await opened(t);
  const [job, other] = [random32(), random32()];
  const daemon = await reached(t, home);
  const events = daemon.follow(job);
  const first = events.next();
  // The request has no answer of its own: report until the follower is there.
  const until = setInterval(() => control.reporter.emit({ kind: "info", text: "there", job }), 5);
  t.after(() => clearInterval(until));
  assert.equal((await first).value?.text, "there");
  clearInterval(until);
  control.reporter.emit({ kind: "info", text: "of another job", job: other });
  control.reporter.emit({ kind: "start", id: "fetch", text: "Fetching", job });
  for (let done = 1; done <= 100; done += 1) {
    const lanes = [1e6, 2e5 + 0.4];
    control.reporter.emit({ kind: "progress", id: "fetch", text: "Fetching", done, total: 100, lanes, job });
  }
  control.reporter.emit({ kind: "end", id: "fetch", text: "Fetched", job });
  const seen: string[] = [];
  for await (const { kind, text, done, total, lanes } of events) {
    if (text === "there") continue;
    seen.push(`${kind} ${text} ${done ?? ""}/${total ?? ""}${lanes ? ` by ${lanes}` : ""}`);
    if (kind === "end") break;
  }
  assert.equal(seen[0], "start Fetching /");
  assert.equal(seen[1], "progress Fetching 1/100 by 1000000,200000");
  assert.ok(seen.length < 10, `${seen.length} events`);
  assert.equal(seen.at(-1), "end Fetched /");
  assert.equal(reported.filter(({ kind }) => kind === "progress").length, 100);
});

test("a follower that does not read is cut off", async (t) => {
  const { home, control } = await opened(t);
  const socket = connect(socketOf(home));
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  socket.write(`${JSON.stringify({ version: CONTROL_VERSION, request: "follow" })}\n`);
  // A daemon reports one event at a time; between two of them its sockets have a turn.
  for (let at = 0; at < 100; at += 1) {
    for (let i = 0; i < 200; i += 1) control.reporter.emit({ kind: "info", text: "x".repeat(500) });
    await new Promise((resolve) => setImmediate(resolve));
  }
  let received = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) received += chunk.length;
  assert.ok(received > 0 && received < 4 * 2 ** 20, `${received} of 10 MB came before the end`);
  assert.equal((await (await reached(t, home)).ask("status")).state, "starting");
});

test("a daemon remembers the newest warnings, and cuts long ones", async (t) => {
  const { home, control } = await opened(t);
  for (let i = 0; i < 3 * MAX_WARNINGS; i += 1) {
    control.reporter.emit({ kind: "warn", text: `${i} ${"\u001b".repeat(5000)}` });
  }
  const { warnings } = await (await reached(t, home)).ask("status");
  assert.equal(warnings.length, MAX_WARNINGS);
  assert.ok(warnings.every(({ text }) => text.length === 500));
  assert.match(warnings.at(-1)!.text, /^59 /);
});

test("the socket is its owner's alone, also in a home that others can enter", async (t) => {
  const folder = await scratch(t);
  await chmod(folder, 0o755);
  await mkdir(join(folder, "control"), { mode: 0o777 });
  await chmod(join(folder, "control"), 0o777);
  const { home } = await opened(t, folder);
  assert.equal((await stat(join(home, "control"))).mode & 0o777, 0o700);
  assert.equal((await stat(socketOf(home))).mode & 0o777, 0o600);
});

test("another local user cannot connect", needs("root"), async (t) => {
  const folder = await scratch(t);
  await chmod(folder, 0o755);
  const { home } = await opened(t, folder);
  const script = `require("node:net").connect(process.argv[1]).on("error", (e) => console.log(e.code)).on("connect", () => console.log("in"))`;
  const child = spawn(process.execPath, ["-e", script, socketOf(home)], {
    ...{ uid: 65_534, gid: 65_534, cwd: "/", env: bareEnvironment(), stdio: ["ignore", "pipe", "inherit"] },
  });
  assert.equal(
    Buffer.concat(await child.stdout.toArray())
      .toString()
      .trim(),
    "EACCES",
  );
});

test("the socket of a daemon that was killed is replaced", async (t) => {
  const home = await scratch(t);
  await mkdir(join(home, "control"));
  const script = `require("node:net").createServer().listen(process.argv[1], () => console.log("there"))`;
  const child = spawn(process.execPath, ["-e", script, socketOf(home)], {
    ...{ env: bareEnvironment(), stdio: ["ignore", "pipe", "inherit"] },
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
  assert.ok((await stat(socketOf(home))).isSocket());
  assert.equal(await reachDaemon(home, "worker", { signal }), undefined);
  await opened(t, home);
  assert.equal((await (await reached(t, home)).ask("status")).state, "starting");
});

test("a home with a long path has a socket", async (t) => {
  const home = join(await scratch(t), "long".repeat(40), "home");
  await mkdir(home, { recursive: true });
  const { reported, control } = await opened(t, home);
  assert.deepEqual(reported, []);
  assert.equal((await (await reached(t, home)).ask("status")).state, "starting");
  await control[Symbol.asyncDispose]();
  assert.equal(await reachDaemon(home, "worker", { signal }), undefined);
});

test("a daemon whose socket cannot be opened works without, with a warning", async (t) => {
  const home = await scratch(t);
  await mkdir(join(home, "control", "worker.sock"), { recursive: true });
  const { reported, control } = await opened(t, home);
  assert.deepEqual(
    reported.map(({ kind }) => kind),
    ["warn"],
  );
  assert.equal(control.signal.aborted, false);
});
