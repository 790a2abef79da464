import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Wallet } from "ethers";
import { loadConfig } from "../../src/config.ts";
import { IchainError } from "../../src/errors/error.ts";
import { openLogger } from "../../src/log/logger.ts";
import type { LogFacts, LogLevel } from "../../src/ports/logger.ts";
import type { RoleContext } from "../../src/roles/context.ts";
import { createKeyring } from "../../src/transfer/parcel/keyring/create.ts";
import { generateKeyring } from "../../src/transfer/parcel/keyring/secret.ts";
import { temporaryFolder } from "../support/binary.ts";
import { random32 } from "../support/chain/terms.ts";

/** The lines of a log at `level` that `use` has written to. */
async function linesOf(
  level: LogLevel,
  use: (log: Awaited<ReturnType<typeof openLogger>>) => void,
): Promise<Record<string, unknown>[]> {
  return (await textOf(level, use))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function textOf(
  level: LogLevel,
  use: (log: Awaited<ReturnType<typeof openLogger>>) => void,
): Promise<string> {
  using home = temporaryFolder();
  const file = home.join("logs", "ichain.log");
  {
    using log = await openLogger({ level, file });
    use(log);
  }
  return readFileSync(file, "utf8");
}

describe("a daemon's log", () => {
  test("holds a JSON object a line, with level, time, message and facts", async () => {
    const [line] = await linesOf("info", (log) => log.warn("Something is slow", { blocks: 3, wei: 5n }));
    const { time, ...rest } = line!;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, { level: "warn", blocks: 3, wei: "5", msg: "Something is slow" });
  });

  test("leaves out what is below its level", async () => {
    const levels = ["error", "warn", "info", "debug"] as const;
    for (const [i, level] of levels.entries()) {
      const lines = await linesOf(level, (log) => {
        for (const one of levels) log[one](`a line of ${one}`);
      });
      assert.deepEqual(
        lines.map((line) => line.level),
        levels.slice(0, i + 1),
      );
    }
  });

  test("puts a child's facts into each of the child's lines", async () => {
    const job = random32();
    const lines = await linesOf("info", (log) => {
      const child = log.child({ job });
      child.info("one");
      child.child({ role: "provider" }).info("two");
      log.info("three");
    });
    assert.deepEqual(
      lines.map((line) => [line.job, line.role]),
      [
        [job, undefined],
        [job, "provider"],
        [undefined, undefined],
      ],
    );
  });

  test("holds an error's code, message and details, and where an unforeseen one came from", async () => {
    const cause = new RangeError("words of another library");
    const [known, unknown] = await linesOf("info", (log) => {
      log.error("given up", {
        error: new IchainError("JOB_UNKNOWN", "No job.", { cause, details: { id: "0x12", seats: [1, 2] } }),
      });
      log.error("given up", { error: cause });
    });
    assert.deepEqual(
      [known!.code, known!.error, known!.retryable, known!.details],
      ["JOB_UNKNOWN", "No job.", false, { id: "0x12", seats: [1, 2] }],
    );
    assert.equal(unknown!.code, "INTERNAL");
    assert.match(String((unknown!.stack as string[])[0]), /logger\.test/);
    assert.doesNotMatch(JSON.stringify([known, unknown]), /another library/);
  });

  test("is readable by its owner only, in a folder that is", async () => {
    using home = temporaryFolder();
    const file = home.join("logs", "ichain.log");
    using log = await openLogger({ level: "info", file });
    log.info("begun");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(home.join("logs")).mode & 0o777, 0o700);
  });

  test("refuses a place that cannot be written", async () => {
    using home = temporaryFolder();
    writeFileSync(home.join("file"), "");
    const settings = { level: "info", file: home.join("file", "ichain.log") } as const;
    await assert.rejects(openLogger(settings), { code: "LOG_UNWRITABLE" });
  });

  test("lets nothing through that a terminal would obey", async () => {
    const text = await textOf("info", (log) => log.info("a\u009b2Jb\u202e", { from: "\u001b[2J" }));
    assert.match(text, /^[\x20-\x7e]+\n$/);
  });

  test("holds no secret, even when a whole context is logged", async () => {
    using home = temporaryFolder();
    const password = "open sesame";
    const config = await loadConfig({ env: { ICHAIN_HOME: home.path, ICHAIN_PASSWORD: password } });
    const wallet = Wallet.createRandom();
    const secret = await generateKeyring(wallet.address as `0x${string}`);
    const keyring = createKeyring({ secret });
    const [sessionKey, token, capsule, seedSecret] = [random32(), random32(), random32(), random32()];
    const context = {
      ...({ account: wallet.address, keyring, logger: undefined } as unknown as RoleContext),
      ...{
        config,
        wallet,
        secret,
        password,
        sessionKey,
        token,
        capsule,
        seedSecret,
        privateKey: wallet.privateKey,
      },
    };
    const error = new IchainError("KEY_UNUSABLE", "No.", { details: { sessionKey, draft: { sessionKey } } });
    const text = await textOf("debug", (log) => {
      log.info("a context", context as unknown as LogFacts);
      log.info("inside another", { context, list: [context] });
      log.child(context as unknown as LogFacts).error("failed", { error });
      log.info("asked https://user:hunter2@rpc.example/v3/0123456789abcdef?key=1 for a block");
    });
    const secrets = [password, wallet.privateKey, wallet.privateKey.slice(2), sessionKey, token, capsule];
    const hidden = [
      ...secrets,
      seedSecret,
      secret.onion.privateKey,
      "hunter2",
      "0123456789abcdef",
      "PRIVATE KEY",
    ];
    for (const one of hidden) assert.equal(text.includes(one), false, one);
    assert.ok(text.includes(wallet.address), "the account itself is no secret");
    assert.ok(text.includes("rpc.example"));
  });
});
