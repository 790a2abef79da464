import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { exitCodes } from "../../src/errors/error.ts";
import { ichainRun, temporaryFolder } from "../support/binary.ts";

const PASSWORD = "correct horse";
/** The first account of every development chain: public. */
const KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

describe("ichain wallet", () => {
  it("makes a wallet that only its owner can read, and names it without the password", async () => {
    using home = temporaryFolder();
    const env = { ICHAIN_HOME: home.join("deep", "home"), ICHAIN_PASSWORD: PASSWORD };
    const made = await ichainRun(["wallet", "create", "--json", "--quiet"], env);
    assert.equal(made.code, 0, made.stderr);
    assert.equal(made.stderr, "");
    const { address, keystore } = JSON.parse(made.stdout) as { address: string; keystore: string };
    assert.equal(statSync(keystore).mode & 0o777, 0o600);
    assert.ok(!readFileSync(keystore, "utf8").includes(PASSWORD));
    const named = await ichainRun(["wallet", "address"], { ICHAIN_HOME: env.ICHAIN_HOME });
    assert.equal(named.stdout, `${address}\n`);
  });

  it("never overwrites a wallet", async () => {
    using home = temporaryFolder();
    writeFileSync(home.join("keystore.json"), "{}");
    writeFileSync(home.join("key"), KEY);
    const env = { ICHAIN_HOME: home.path, ICHAIN_PASSWORD: PASSWORD };
    for (const args of [["create"], ["import", home.join("key")]]) {
      const { code, stderr } = await ichainRun(["wallet", ...args], env);
      assert.equal(code, exitCodes.usage);
      assert.match(stderr, /\[WALLET_EXISTS\]/);
    }
    assert.equal(readFileSync(home.join("keystore.json"), "utf8"), "{}");
  });

  it("imports a private key, and its keystore again elsewhere", async () => {
    using home = temporaryFolder();
    writeFileSync(home.join("key"), `${KEY}\n`);
    writeFileSync(home.join("password"), `${PASSWORD}\nsecond line\n`);
    const password = { ICHAIN_PASSWORD_FILE: home.join("password") };
    const first = await ichainRun(["wallet", "import", home.join("key")], {
      ICHAIN_HOME: home.join("one"),
      ...password,
    });
    assert.equal(first.stdout, `${ADDRESS}\n`, first.stderr);
    const keystore = home.join("one", "keystore.json");
    const env = { ICHAIN_HOME: home.join("two") };
    const wrong = await ichainRun(["wallet", "import", keystore], { ...env, ICHAIN_PASSWORD: "wrong" });
    assert.equal(wrong.code, exitCodes.config);
    assert.match(wrong.stderr, /^error .+ \[WALLET_WRONG_PASSWORD\]\nhint {2}.+\n$/);
    const second = await ichainRun(["wallet", "import", keystore], { ...env, ...password });
    assert.equal(second.stdout, `${ADDRESS}\n`, second.stderr);
  });

  for (const [what, env, code] of [
    ["no password and no terminal", {}, "NO_TTY"],
    ["a short password", { ICHAIN_PASSWORD: "short" }, "PASSWORD_UNSUITABLE"],
    [
      "a password file that is not there",
      { ICHAIN_PASSWORD_FILE: "/nonexistent/pw" },
      "PASSWORD_FILE_UNREADABLE",
    ],
  ] as const) {
    it(`makes nothing with ${what}`, async () => {
      using home = temporaryFolder();
      const ended = await ichainRun(["wallet", "create"], { ICHAIN_HOME: home.join("home"), ...env });
      assert.match(ended.stderr, new RegExp(`^error .+ \\[${code}\\]\nhint {2}.+\n$`));
      assert.throws(() => statSync(home.join("home")), { code: "ENOENT" });
    });
  }

  it("says that there is no wallet yet", async () => {
    using home = temporaryFolder();
    const { code, stderr } = await ichainRun(["wallet", "address"], { ICHAIN_HOME: home.path });
    assert.equal(code, exitCodes.config);
    assert.match(stderr, /\[NO_WALLET\]/);
  });
});
