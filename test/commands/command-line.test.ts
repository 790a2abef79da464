import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { commandTable, parseCommandLine } from "../../src/commands/program.ts";
import { exitCodes } from "../../src/errors/entry.ts";
import { ichainRun, temporaryFolder } from "../support/binary.ts";

const text = (argv: readonly string[]): string => {
  const invocation = parseCommandLine(argv);
  return invocation.kind === "text" ? invocation.text : "";
};

it("a date is a day or an instant, UTC unless it says otherwise", () => {
  const since = (value: string) => {
    const invocation = parseCommandLine(["earnings", "--since", value]);
    return invocation.kind === "command" ? (invocation.options as { since: number }).since : undefined;
  };
  assert.deepEqual(
    ["2026-11-30", "2026-11-30T12:00", "2026-11-30T12:00:00+02:00"].map(since),
    [1_795_996_800, 1_796_040_000, 1_796_032_800],
  );
  for (const bad of ["2026-13-01", "yesterday", "1", "2026-11-30 12:00", "2026-11-30T12"]) {
    assert.throws(() => since(bad), { code: "USAGE" });
  }
});

describe("help", () => {
  it("lists every command", () => {
    const help = text(["--help"]);
    for (const { name } of commandTable) assert.match(help, new RegExp(`^  ${name.split(" ")[0]} `, "m"));
  });

  for (const { name, examples, load } of commandTable) {
    it(`of ${name} shows its examples, and the command has an action`, async () => {
      const help = text([...name.split(" "), "--help"]);
      for (const example of examples) assert.ok(help.includes(example));
      assert.equal(typeof (await load()).run, "function");
    });
  }

  it("loads no command, chain, Docker, OpenPGP or schema library", async () => {
    const probe = `
      import { registerHooks } from "node:module";
      registerHooks({ load(url, context, next) { process.stderr.write(url + "\\n"); return next(url, context); } });
      process.argv = ["node", "ichain", "wallet", "--help"];
      await import(${JSON.stringify(new URL("../../bin/ichain.js", import.meta.url).href)});`;
    const { stderr: loaded, status } = spawnSync(process.execPath, ["--input-type=module", "-e", probe], {
      encoding: "utf8",
    });
    assert.equal(status, 0, loaded);
    assert.match(loaded, /commander/);
    assert.doesNotMatch(loaded, /ethers|openpgp|dockerode|zod|hardhat|inquirer|yaml/);
  });
});

describe("the command line", () => {
  for (const [what, argv] of [
    ["an unknown command", ["frobnicate"]],
    ["an unknown flag", ["completion", "bash", "--frobnicate"]],
    ["a missing argument", ["completion"]],
    ["an argument outside its choices", ["completion", "tcsh"]],
    ["a parent without its command", ["wallet"]],
    ["a time without its unit", ["submit", "job.yaml", "--failover", "1", "--within", "6"]],
    ["a time for a job that is not posted again", ["submit", "examples/digits/job.yaml", "--within", "6h"]],
  ] as const) {
    it(`refuses ${what} with one sentence, one hint and no stack`, async () => {
      const { code, stdout, stderr } = await ichainRun(argv);
      assert.equal(code, exitCodes.usage);
      assert.equal(stdout, "");
      assert.match(stderr, /^error .+ \[USAGE\]\nhint {2}.+\n$/);
    });
  }

  it("prints errors as the last line of JSON with --json", async () => {
    const { code, stdout, stderr } = await ichainRun(["frobnicate", "--json"]);
    assert.equal(code, exitCodes.usage);
    assert.equal(stderr, "");
    const { error } = JSON.parse(stdout) as { error: Record<string, unknown> };
    assert.deepEqual(Object.keys(error), ["code", "message", "hint", "retryable", "details"]);
    assert.equal(error.code, "USAGE");
  });

  it("names the line of a bad configuration", async () => {
    using home = temporaryFolder();
    writeFileSync(home.join("config.yaml"), "transport: pigeon\n");
    const { code, stderr } = await ichainRun(["wallet", "address"], { ICHAIN_HOME: home.path });
    assert.equal(code, exitCodes.config);
    assert.match(stderr, /line 1.*transport.*\[CONFIG_INVALID\]/);
  });

  it("answers with its version", async () => {
    const { code, stdout } = await ichainRun(["--version"]);
    assert.deepEqual([code, stdout], [0, "0.1.0\n"]);
  });

  it("prints completions that the shell itself accepts", async () => {
    const { stdout } = await ichainRun(["completion", "bash"]);
    execFileSync("bash", ["-n"], { input: stdout });
    const listed = execFileSync(
      "bash",
      ["-c", `${stdout}\nCOMP_WORDS=(ichain wallet ""); COMP_CWORD=2; _ichain; echo "\${COMPREPLY[@]}"`],
      { encoding: "utf8" },
    );
    assert.match(listed, /create import address/);
  });
});
