import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { type IchainError, isIchainError } from "../../../src/errors/error.ts";
import { dockerEngine } from "../../../src/sandbox/engines/docker.ts";
import { remoteEngine } from "../../../src/sandbox/engines/remote/remote.ts";
import { poolSandbox } from "../../../src/sandbox/pool.ts";
import { createSandbox, DEFAULT_SOCKET } from "../../../src/sandbox/sandbox.ts";
import { tinyImage } from "../../adversarial/task/tiny-image.ts";
import { needs } from "../../support/require.ts";
import { MIB, writeScript } from "../support.ts";

const url = "ssh://jobs@big.example:2222";
const wanted =
  "-T -o BatchMode=yes -o ConnectTimeout=10 -p 2222 -l jobs -- big.example docker system dial-stdio";

/** A folder with this shell script as `ssh`, the first on PATH until the test ends. */
async function fakeSsh(t: TestContext, script: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "ichain-ssh-"));
  await writeFile(join(dir, "ssh"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const before = process.env.PATH;
  process.env.PATH = `${dir}:${before}`;
  t.after(() => {
    process.env.PATH = before;
    return rm(dir, { recursive: true, force: true });
  });
  return dir;
}

async function failure(act: Promise<unknown>): Promise<IchainError> {
  const error = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(isIchainError(error, "DOCKER_UNAVAILABLE") && error.retryable, String(error));
  return error;
}

test(
  "an engine behind ssh runs a task, with inputs copied there and outputs back",
  needs("docker"),
  async (t) => {
    // Runs the command after the host's name, as the login shell at the other end would.
    const dir = await fakeSsh(
      t,
      `[ "$*" = "${wanted}" ] || { echo "odd arguments: $*" >&2; exit 64; }
exec docker -H unix://${DEFAULT_SOCKET} system dial-stdio`,
    );
    const engine = remoteEngine({ url });
    const local = dockerEngine({ socketPath: DEFAULT_SOCKET });
    assert.deepEqual((await engine.info()).version, (await local.info()).version);

    const { digest } = await tinyImage(t, {});
    const instance = `ssh-${process.pid}`;
    const sandbox = createSandbox({ engine, shared: true, stateDir: join(dir, "state"), instance });
    const held = await writeScript(dir, digest, `cat /in/more > /out/copy; echo "acc: 1"`);
    await writeFile(join(held.inputDir, "more"), Buffer.alloc(3 * MIB, "x"), { mode: 0o600 });
    try {
      const run = await sandbox.run(held);
      assert.deepEqual([run.ended, run.exitCode, run.log], ["exit", 0, "acc: 1\n"]);
      assert.equal((await readFile(join(await sandbox.outputs(held.id), "copy"))).length, 3 * MIB);
    } finally {
      await sandbox.sweep(new Set());
    }
    assert.deepEqual(await local.list({ "ichain.instance": instance }), []);
  },
);

test("a failed ssh is reported with its last line, without control characters", async (t) => {
  const dir = await fakeSsh(
    t,
    String.raw`echo "Warning: something first" >&2
printf '\033[2Jjobs@big.example: Permission denied (publickey).\r\n' >&2
exit 255`,
  );
  const engine = remoteEngine({ url });
  const { message, hint } = await failure(engine.ping());
  assert.match(message, /: ·\[2Jjobs@big\.example: Permission denied \(publickey\)\.$/);
  assert.match(hint, /`ssh ssh:\/\/jobs@big\.example:2222 docker version`/);
  // Also when a call has more data than the pipe holds.
  const upload = engine.importRoot(Readable.from([Buffer.alloc(4 * MIB)]), {
    repository: "ichain-test/none",
    labels: {},
  });
  assert.match((await failure(upload)).message, /Permission denied/);

  const sandbox = createSandbox({ engine, shared: true, stateDir: join(dir, "state"), instance: "ssh" });
  const pool = poolSandbox([{ name: "big", engine, sandbox }], dir);
  assert.match((await failure(pool.probe())).hint, /big \(.*Permission denied \(publickey\)\)/);
});

test("ssh inherits the user's ssh agent, but not ichain's password", async (t) => {
  const dir = await fakeSsh(t, 'env > "$(dirname "$0")/environment"; exit 255');
  Object.assign(process.env, { ICHAIN_PASSWORD: "open sesame", SSH_AUTH_SOCK: "/run/agent" });
  t.after(() => {
    for (const name of ["ICHAIN_PASSWORD", "SSH_AUTH_SOCK"]) delete process.env[name];
  });
  await failure(remoteEngine({ url }).ping());
  const held = await readFile(join(dir, "environment"), "utf8");
  assert.match(held, /^SSH_AUTH_SOCK=\/run\/agent$/m);
  assert.doesNotMatch(held, /sesame/);
});

test("a missing ssh is reported", async (t) => {
  const dir = await fakeSsh(t, "");
  await rm(join(dir, "ssh"));
  process.env.PATH = dir;
  assert.match((await failure(remoteEngine({ url }).ping())).message, /spawn ssh ENOENT/);
});
