import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { streamOf } from "../../src/client/stream.ts";
import { commandTable } from "../../src/commands/program.ts";
import { createClient } from "../../src/index.ts";
import { temporaryFolder } from "../support/binary.ts";

const digits = fileURLToPath(new URL("../../examples/digits/job.yaml", import.meta.url));
const code = (wanted: string) => (error: { code?: unknown }) => error.code === wanted;

describe("a client", () => {
  it("has a method for each of these commands, and takes every other by its words", async () => {
    const source = readFileSync(new URL("../../src/client/create.ts", import.meta.url), "utf8");
    const called = /\b(?:call|runCommandLine|startDaemon)\((?:inHome, )?"([a-z ]+)"/g;
    const methods = new Set([...source.matchAll(called)].map(([, name]) => name));
    const rest = commandTable.filter(({ name }) => !methods.has(name));
    const asked = rest.filter(({ group }) => group === "Ask for work").map(({ name }) => name);
    // Tools of who writes jobs, and what a client does by itself.
    assert.deepEqual(asked, ["image digest", "image push", "new", "run", "resume"]);
    assert.deepEqual(
      [...methods].filter((name) => !commandTable.some((one) => one.name === name)),
      [],
    );
    using folder = temporaryFolder();
    await using client = await createClient({ home: folder.path });
    const made = await client.command("new", ["sklearn", folder.join("task")]);
    assert.ok(made?.folder.endsWith("task"));
    await assert.rejects(client.command("new", ["nonsense"]), code("USAGE"));
    await assert.rejects(client.command("new", ["--help"]), code("USAGE"));
  });

  it("refuses as the command line does, by code", async () => {
    using folder = temporaryFolder();
    await assert.rejects(createClient({ home: folder.path, network: "none" }), code("NETWORK_UNKNOWN"));
    await using client = await createClient({ home: folder.path });
    await assert.rejects(client.address(), code("NO_WALLET"));
    await assert.rejects(client.job("--all"), code("USAGE"));
    await assert.rejects(client.rate("3fa9c01b", 6), code("USAGE"));
    await assert.rejects(client.quote(folder.join("none.yaml")), code("JOB_UNREADABLE"));
    await assert.rejects(client.quote(digits, { variables: { none: 1 } }), code("VARIABLE_UNKNOWN"));
    await assert.rejects(client.provide({ policy: folder.join("none.yaml") }), code("POLICY_UNREADABLE"));
    await assert.rejects(client.follow("3fa9c01b").next(), code("NO_NETWORK"));
    const sweep = folder.join("digits");
    cpSync(dirname(digits), sweep, { recursive: true });
    const text = readFileSync(digits, "utf8");
    writeFileSync(`${sweep}/job.yaml`, `${text}\nvariables: {seed: 1}\nmatrix: {seed: [1, 2]}\n`);
    await assert.rejects(client.submit(`${sweep}/job.yaml`), code("USAGE"));
  });

  it("throws the reason of a signal, and ends with its client", async () => {
    using folder = temporaryFolder();
    const client = await createClient({ home: folder.path });
    const reason = new Error("enough");
    await assert.rejects(client.address({ signal: AbortSignal.abort(reason) }), reason);
    await client[Symbol.asyncDispose]();
    await assert.rejects(client.address(), code("INTERRUPTED"));
  });
});

describe("a stream", () => {
  it("yields what is pushed, in order, and then throws what ended it", async () => {
    const seen: number[] = [];
    const all = streamOf<number>(async (push) => {
      for (const one of [1, 2, 3]) push(one);
      throw new RangeError("over");
    }, undefined);
    await assert.rejects(async () => {
      for await (const one of all) seen.push(one);
    }, RangeError);
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it("aborts who pushes when its reader leaves, and waits for it", async () => {
    let ended = false;
    const endless = streamOf<number>(async (push, signal) => {
      push(1);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended = true;
    }, undefined);
    for await (const _ of endless) break;
    assert.equal(ended, true);
  });

  it("forgets the oldest of too many", async () => {
    const items: number[] = [];
    const many = streamOf<number>(async (push) => {
      for (let at = 0; at < 10_005; at++) push(at);
    }, undefined);
    for await (const one of many) items.push(one);
    assert.deepEqual([items[0], items.length], [5, 10_000]);
  });
});
