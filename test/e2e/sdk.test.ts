import assert from "node:assert/strict";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { LiveEvent } from "../../src/control/messages.ts";
import { asOwnerOf } from "../../src/devnet/homes.ts";
import { createClient, type FollowedEvent } from "../../src/index.ts";
import { bareEnvironment, programRun, temporaryFolder } from "../support/binary.ts";
import { startTestMarket } from "../support/market/market.ts";
import { unpackPackage } from "../support/package.ts";
import { needs } from "../support/require.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The first block of code of this language below a heading of a page. */
async function codeOf(page: string, heading: string, language: string): Promise<string> {
  const text = await readFile(join(root, page), "utf8");
  const below = text.slice(text.indexOf(`\n## ${heading}\n`));
  const code = new RegExp(`\n\`\`\`${language}\n([\\s\\S]*?)\n\`\`\`\n`).exec(below)?.[1];
  assert.ok(code, `${page} has code under "${heading}"`);
  return code;
}

test("programs post jobs and open their results: the README's with the installed package, a notebook's with Python", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  using folder = temporaryFolder();
  const unpacked = unpackPackage(folder.path);
  await symlink(join(root, "node_modules"), folder.join("node_modules"));
  const app = folder.join("app");
  await mkdir(join(app, "node_modules"), { recursive: true });
  await symlink(unpacked, join(app, "node_modules", "ichain"));
  await cp(join(unpacked, "examples"), join(app, "examples"), { recursive: true });
  const market = await startTestMarket(t, { transport: "direct" });
  const { requester } = market;
  const env = bareEnvironment({ ...asOwnerOf(requester) });

  await writeFile(join(app, "example.mjs"), await codeOf("README.md", "From a program", "js"));
  const program = await programRun(process.execPath, ["example.mjs"], { env, cwd: app });
  assert.equal(program.code, 0, program.stderr);
  await writeFile(join(app, "shown.mjs"), await codeOf("docs/sdk.md", "JavaScript and TypeScript", "js"));
  const shown = await programRun(process.execPath, ["shown.mjs"], { env, cwd: app });
  assert.match(shown.stdout, /^\d+n\nJOB_UNREADABLE /, shown.stderr);
  assert.match(program.stdout, /^Posted\n[\s\S]*\nSettled\n[\s\S]*model.safetensors/);

  // A provider that is a program, too.
  const [provider] = market.providers;
  await market.killActor(provider!.name);
  const home = provider!.dir;
  const password = (await readFile(provider!.passwordFile, "utf8")).trim();
  await using worker = await createClient({ home, password });
  const reports: LiveEvent[] = [];
  await using daemon = await worker.provide({ stake: "0.1", onEvent: (event) => reports.push(event) });
  assert.equal(daemon.account, provider!.account);
  assert.deepEqual(
    (await worker.status()).daemons.map(({ kind, state }) => [kind, state]),
    [["worker", "working"]],
  );

  const bin = folder.join("bin");
  await mkdir(bin);
  await symlink(join(unpacked, "bin", "ichain.js"), join(bin, "ichain"));
  const forPython = {
    ...env,
    PATH: `${bin}:${dirname(process.execPath)}:${env.PATH}`,
    PYTHONPATH: join(unpacked, "python"),
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const inPython = (args: readonly string[]) => programRun("python3", args, { env: forPython, cwd: app });
  const [python, shownInPython] = await Promise.all([
    inPython([join(app, "examples", "notebook", "digits.py")]),
    inPython(["-c", await codeOf("docs/sdk.md", "Python", "python")]),
  ]);
  assert.match(shownInPython.stdout, /^[\d.]+\nJOB_UNREADABLE /, shownInPython.stderr);
  assert.equal(python.code, 0, python.stderr);
  assert.match(python.stdout, /VARIABLE_UNKNOWN - [\s\S]*\nSettled\n[\s\S]*epoch 60 of 60[\s\S]*\nSettled /);

  const { jobs } = await worker.jobs({ all: true });
  const done = jobs.find(({ role, state }) => role === "provider" && state === "Settled")!;
  assert.ok(reports.some(({ job }) => job === done.jobId));
  const told: FollowedEvent[] = [];
  for await (const event of worker.follow(done.jobId.slice(0, 10))) told.push(event);
  assert.deepEqual(told, [{ kind: "job", job: done }]);
  const earned = await worker.earnings();
  assert.equal(earned.jobs.find(({ jobId }) => jobId === done.jobId)?.paid, done.terms.price);
});
