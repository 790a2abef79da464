import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { test } from "node:test";
import { programVersion } from "../src/version.ts";
import { temporaryFolder } from "./support/binary.ts";
import { npmHome, unpackPackage } from "./support/package.ts";

/** It fetches all dependencies: `PACKAGE_INSTALL=1 node --test test/package-install.test.ts`, before a release. */
const asked = process.env.PACKAGE_INSTALL !== undefined;

test(
  "the npm package installs into an empty folder with what it pins, and npx runs it",
  asked ? {} : { skip: "PACKAGE_INSTALL=1 asks for it" },
  () => {
    using folder = temporaryFolder();
    unpackPackage(folder.path);
    const cwd = folder.join("empty");
    mkdirSync(cwd);
    const run = (program: string, args: readonly string[], at = cwd) =>
      execFileSync(program, args, { env: npmHome(folder.path), cwd: at, stdio: "pipe" }).toString();
    run("tar", ["czf", "pinned.tgz", "package"], folder.path);
    const quick = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
    run("npm", ["install", ...quick, folder.join("pinned.tgz")]);
    const { dependencies } = JSON.parse(run("npm", ["ls", "--json"]));
    assert.equal(dependencies.ichain.version, programVersion());
    assert.match(run("npx", ["--no-install", "ichain", "--help"]), /^Usage: ichain/);
  },
);
