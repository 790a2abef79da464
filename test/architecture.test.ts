import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../src/", import.meta.url));
const files = globSync("**/*.ts", { cwd: root }).toSorted();
const source = new Map(files.map((file) => [file, readFileSync(`${root}${file}`, "utf8")]));

/**
 * Which parts of src/ each part may import besides itself. Dependencies point inwards: commands → roles
 * → protocol and ports; adapters implement ports and know neither roles nor each other.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  protocol: ["errors"],
  ports: ["protocol", "errors"],
  errors: [],
  roles: ["ports", "protocol", "errors"],
  sqlite: ["errors"],
  chain: ["sqlite", "ports", "protocol", "errors"],
  transfer: ["sqlite", "ports", "protocol", "errors"],
  sandbox: ["ports", "protocol", "errors"],
  journal: ["sqlite", "ports", "protocol", "errors"],
  config: ["protocol", "errors"],
  ui: ["ports", "protocol", "errors"],
  account: ["config", "ui", "protocol", "errors"],
  doctor: ["account", "config", "ui", "ports", "protocol", "errors"],
  // A whole market on one machine: it starts chain and Tor itself, and its actors are roles that go wrong.
  devnet: [
    "chain",
    "transfer",
    "roles",
    "commands",
    "account",
    "config",
    "ui",
    "ports",
    "protocol",
    "errors",
  ],
  commands: [
    "roles",
    "devnet",
    "doctor",
    "account",
    "config",
    "ui",
    "ports",
    "protocol",
    "errors",
    "compose",
  ],
  main: ["commands", "config", "ui", "errors"],
};

/** Single files that one may import across the rule, and why. */
const exceptions: readonly (readonly [from: string, to: string, why: string])[] = [
  ["account", "chain/wallet.ts", "keystore V3 is a file format; nothing in it touches a chain"],
  ["commands", "chain/wallet.ts", "the same: making and naming a wallet needs no chain"],
  ["doctor", "chain/wallet.ts", "the same"],
];

const partOf = (file: string): string => file.split("/")[0]!.replace(/\.ts$/, "");

/** Paths below src/ that `file` imports, by any kind of import. */
function imports(file: string): string[] {
  const specifiers = [...source.get(file)!.matchAll(/(?:\bfrom|\bimport\(|\bimport)\s*"(\.[^"]+)"/g)];
  return specifiers.map((match) => posix.normalize(posix.join(posix.dirname(file), match[1]!)));
}

function crossings(file: string): string[] {
  const part = partOf(file);
  if (part === "compose") return []; // the one place that knows every adapter
  return imports(file).filter((target) => {
    const to = partOf(target);
    if (to === part || target.startsWith("..") || allowed[part]?.includes(to)) return false;
    return !exceptions.some(([from, path]) => from === part && path === target);
  });
}

function offenders(pattern: RegExp, but: (file: string) => boolean = () => false): string[] {
  return files.filter((file) => !but(file) && pattern.test(withoutComments(source.get(file)!)));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

describe("the architecture", () => {
  it("knows every part of src/", () => {
    const parts = new Set(files.map(partOf));
    parts.delete("compose");
    assert.deepEqual(
      [...parts].filter((part) => !(part in allowed)),
      [],
    );
  });

  it("lets dependencies point inwards only", () => {
    const wrong = files.flatMap((file) => crossings(file).map((target) => `${file} → ${target}`));
    assert.deepEqual(wrong, []);
  });

  it("keeps no exception that nothing needs", () => {
    const idle = exceptions.filter(
      ([from, path]) => !files.some((file) => partOf(file) === from && imports(file).includes(path)),
    );
    assert.deepEqual(idle, []);
  });

  it("keeps protocol/ pure: no module of Node, no clock, no chance", () => {
    const impure = /"node:|\bDate\.now\(|new Date\(\)|Math\.random\(|randomBytes\(|\bfetch\(|process\./;
    assert.deepEqual(
      offenders(impure, (file) => partOf(file) !== "protocol"),
      [],
    );
  });

  it("reads the environment in config.ts alone", () => {
    assert.deepEqual(
      offenders(/process\.env/, (file) => file === "config.ts"),
      [],
    );
  });

  it("prints in ui/ and main.ts alone", () => {
    const printing = /\bconsole\.|process\.(stdout|stderr)\b/;
    assert.deepEqual(
      offenders(printing, (file) => file.startsWith("ui/") || file === "main.ts"),
      [],
    );
  });

  it("throws no bare Error, and nothing typed any", () => {
    assert.deepEqual(offenders(/throw new (Error|TypeError)\(|[:<]\s*any\b|\bas any\b/), []);
  });

  it("has no barrels", () => {
    assert.deepEqual(
      files.filter((file) => posix.basename(file) === "index.ts"),
      [],
    );
  });
});
