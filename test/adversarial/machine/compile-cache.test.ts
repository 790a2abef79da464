import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { asNobody, NOBODY } from "../../support/nobody.ts";
import { temporaryFolder } from "../../support/parcel/blob.ts";
import { requireProgram, requireRoot } from "../../support/require.ts";

const bin = fileURLToPath(new URL("../../../bin", import.meta.url));
const program = (word: string) => `const word = "${word}";\nexport const main = () => console.log(word);\n`;
const [honest, forged] = [program("honest"), program("forged")];

/** Where Node's entry of a compiled file has the CRC-32 of its source. */
const SOURCE_HASH = 12;

/** ichain's real first file before a program of one line, which is what a forged cache would replace. */
async function install(t: TestContext) {
  const dir = await temporaryFolder(t);
  chmodSync(dir, 0o755);
  cpSync(bin, `${dir}/app/bin`, { recursive: true });
  mkdirSync(`${dir}/app/dist`);
  writeFileSync(`${dir}/app/package.json`, '{"type":"module"}');
  const main = `${dir}/app/dist/main.js`;
  return {
    dir,
    ichain: `${dir}/app/bin/ichain.js`,
    main,
    /** Compiles `forged` as nobody into `cache` and makes it look like `honest`, as long as it is. */
    async forge(cache: string) {
      writeFileSync(main, forged);
      mkdirSync(cache, { recursive: true });
      chownSync(cache, NOBODY, NOBODY);
      const load = `require("module").enableCompileCache(${JSON.stringify(cache)}); import(${JSON.stringify(main)})`;
      const { code, stderr } = await asNobody([process.execPath, "-e", load]);
      assert.equal(code, 0, stderr);
      writeFileSync(main, honest);
      let forgeries = 0;
      for (const path of globSync("**/*", { cwd: cache }).map((name) => `${cache}/${name}`)) {
        if (!statSync(path).isFile()) continue;
        const entry = readFileSync(path);
        if (entry.readUInt32LE(SOURCE_HASH) !== crc32(forged)) continue;
        entry.writeUInt32LE(crc32(honest), SOURCE_HASH);
        writeFileSync(path, entry);
        forgeries++;
      }
      assert.equal(forgeries, 1);
      // Node looks in a folder with the user's number in its name, which whoever owns the one above may choose.
      const [theirs] = readdirSync(cache);
      renameSync(`${cache}/${theirs}`, `${cache}/${theirs?.replace(/\d+$/, "0")}`);
    },
  };
}

function run(argv: readonly string[], env: Readonly<Record<string, string>>): string {
  const all = { PATH: process.env.PATH ?? "", ...env };
  const { stdout, stderr } = spawnSync(process.execPath, argv, { env: all, encoding: "utf8" });
  assert.equal(stderr, "");
  return stdout.trim();
}

test("a local user who makes Node's compile cache in $TMPDIR first runs no code as ours", async (t) => {
  if (!requireRoot(t) || !requireProgram(t, "setpriv")) return;
  const { dir, ichain, main, forge } = await install(t);
  const tmp = `${dir}/tmp`;
  mkdirSync(tmp);
  chmodSync(tmp, 0o1777);
  await forge(`${tmp}/node-compile-cache`);
  // The forgery is one that Node believes.
  const naive = `require("module").enableCompileCache(); import(${JSON.stringify(main)}).then((m) => m.main())`;
  assert.equal(run(["-e", naive], { TMPDIR: tmp }), "forged");

  for (const HOME of [dir, "/nonexistent"]) assert.equal(run([ichain], { TMPDIR: tmp, HOME }), "honest");
});

test("a cache folder that another user made, may write to or may replace is left alone", async (t) => {
  if (!requireRoot(t) || !requireProgram(t, "setpriv")) return;
  const { dir, ichain, forge } = await install(t);
  const home = `${dir}/home`;
  const cache = `${home}/.cache/ichain/compiled`;
  await forge(cache);
  const modes = (folder: string, owner: number, mode: number) => {
    chownSync(folder, owner, owner);
    chmodSync(folder, mode);
  };
  const answer = () => run([ichain], { HOME: home });
  modes(cache, NOBODY, 0o700);
  assert.equal(answer(), "honest", "it is theirs");
  modes(cache, 0, 0o777);
  assert.equal(answer(), "honest", "they may write to it");
  modes(cache, 0, 0o700);
  modes(home, NOBODY, 0o755);
  assert.equal(answer(), "honest", "the folder above it is theirs");
  modes(home, 0, 0o777);
  assert.equal(answer(), "honest", "they may rename what is above it");
  modes(home, 0, 0o755);
  assert.equal(answer(), "forged", "what is ours alone is believed, so the cases above prove something");
});

test("the cache that ichain makes for itself is its user's alone", async (t) => {
  const { dir, ichain, main } = await install(t);
  writeFileSync(main, honest);
  assert.equal(run([ichain], { HOME: dir }), "honest");
  const folder = `${dir}/.cache/ichain/compiled`;
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.ok(globSync("**/*", { cwd: folder }).length > 0);
});
