import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { programJudge } from "../../src/notify/judge.ts";
import { type LogFacts, silentLogger } from "../../src/ports/logger.ts";
import type { FixQuestion } from "../../src/ports/notifier.ts";
import type { Hex } from "../../src/protocol/ids.ts";

const question: FixQuestion = {
  ...{
    campaign: `0x${"ab".repeat(32)}` as Hex,
    about: "A sentence and its label.",
    entry: 0,
    row: 4,
    fix: 1,
  },
  ...{ rows: 5, original: "1\tgood\nrow", isAbsent: false, corrected: undefined },
};
const { signal } = new AbortController();

/** What a program answers, and what of it is logged. */
async function ask(command: readonly string[]) {
  const warned: (LogFacts | undefined)[] = [];
  const logger = { ...silentLogger, warn: (_: string, facts?: LogFacts) => void warned.push(facts) };
  return { answer: await programJudge(command, logger)(question, { signal }), warned };
}
const shell = (script: string) => ask(["sh", "-c", script]);

/** Holds a program, which connects to it, and tells when that is gone. */
async function held() {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const script = `require("node:net").connect(${port}, "127.0.0.1"); setInterval(() => {}, 1e6); console.log("right")`;
  const connected = once(server, "connection") as Promise<[Socket]>;
  return {
    command: [process.execPath, "-e", script],
    begun: connected,
    async gone() {
      const [socket] = await connected;
      socket.on("error", () => undefined);
      if (!socket.closed) await once(socket.resume(), "close");
      server.close();
    },
  };
}

describe("the program that votes", () => {
  it("says right or wrong, with space around it", async () => {
    assert.deepEqual(await shell("echo right"), { answer: true, warned: [] });
    assert.deepEqual(await shell("printf '  wrong\\n\\n'"), { answer: false, warned: [] });
  });

  it("gets one line of JSON, with a version, and none of the parent's secrets", async (t) => {
    process.env.ICHAIN_TEST_SECRET = "hidden";
    t.after(() => delete process.env.ICHAIN_TEST_SECRET);
    const script = `
      const lines = require("node:fs").readFileSync(0, "utf8").split("\\n");
      const asked = JSON.parse(lines[0]);
      const isAsked = lines.length === 2 && lines[1] === "" && process.env.ICHAIN_TEST_SECRET === undefined;
      const isWhole = asked.version === 1 && asked.row === 4 && asked.original === "1\\tgood\\nrow";
      console.log(isAsked && isWhole && !("corrected" in asked) ? "right" : "wrong");`;
    assert.deepEqual(await ask([process.execPath, "-e", script]), { answer: true, warned: [] });
  });

  it("may answer without reading the question", async () => {
    assert.equal((await shell("exec 0<&-; echo wrong")).answer, false);
  });

  it("gives no answer by anything else, and the log says which fix", async () => {
    for (const script of [
      "",
      "echo RIGHT",
      "echo right wrong",
      "echo yes",
      "printf '\\377\\000'",
      "echo right; exit 1",
      "echo right; kill -9 $$",
    ]) {
      const { answer, warned } = await shell(script);
      assert.equal(answer, undefined, script);
      const [{ campaign, entry, row, fix } = {}] = warned;
      assert.deepEqual([campaign, entry, row, fix], [question.campaign, 0, 4, 1], script);
    }
    assert.equal((await ask(["/nowhere/judge"])).answer, undefined);
  });

  it("gives no answer by much output, however it begins, of which little is kept", async () => {
    const { answer, warned } = await shell(
      "echo right; head -c 10000000 /dev/zero | tr '\\0' ' '; echo wrong",
    );
    assert.equal(answer, undefined);
    assert.ok(JSON.stringify(warned).length < 400);
  });

  it("is killed after a minute, and has given no answer", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { command, begun, gone } = await held();
    const asked = ask(command);
    await begun;
    t.mock.timers.tick(59_999);
    t.mock.timers.tick(1);
    const { answer, warned } = await asked;
    assert.equal(answer, undefined);
    assert.equal(warned.length, 1);
    await gone();
  });

  it("is killed when the daemon stops, which is no vote and no warning", async () => {
    const { command, begun, gone } = await held();
    const stop = new AbortController();
    const logger = { ...silentLogger, warn: () => assert.fail("it is no failure of the program") };
    const asked = programJudge(command, logger)(question, { signal: stop.signal });
    await begun;
    stop.abort(new Error("stopped"));
    await assert.rejects(asked, { message: "stopped" });
    await gone();
  });
});
