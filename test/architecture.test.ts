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
  ["transfer", "config.ts", "what the programs that it starts may know is listed beside what ichain reads"],
  ["sandbox", "config.ts", "the same"],
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

/** Every call of a function of node:child_process in `text`, by its own name or promisified. */
function programStarts(text: string, file: string): { file: string; call: string }[] {
  const listed = /import \{([^}]*)\} from "node:child_process"/.exec(text)?.[1];
  assert.equal(
    /child_process/.test(text),
    listed !== undefined,
    `${file} imports it by the names of its functions`,
  );
  const own = (listed ?? "").split(",").map((name) => name.trim());
  const functions = own.filter((name) => name !== "" && !name.startsWith("type "));
  const names = functions.flatMap((name) => {
    const promisified = [...text.matchAll(new RegExp(`const (\\w+) = promisify\\(${name}\\);`, "g"))];
    const uses = text.match(new RegExp(`\\b${name}\\b`, "g"))?.length ?? 0;
    const calls = text.match(new RegExp(`\\b${name}\\(`, "g"))?.length ?? 0;
    assert.equal(
      uses,
      1 + calls + promisified.length,
      `${file} calls ${name} directly, or promisifies it once`,
    );
    return [name, ...promisified.map((match) => match[1]!)];
  });
  return names.flatMap((name) =>
    [...text.matchAll(new RegExp(`(?<!function )\\b${name}\\(`, "g"))].map((match) => ({
      file,
      call: argumentsFrom(text, match.index).replace(/\s+/g, " "),
    })),
  );
}

/** A call's text from its name to its closing parenthesis, with what the names of options stand for. */
function argumentsFrom(text: string, start: number): string {
  let depth = 0;
  let end = text.indexOf("(", start);
  do {
    if (text[end] === "(") depth += 1;
    if (text[end] === ")") depth -= 1;
    end += 1;
  } while (depth > 0 && end < text.length);
  const call = text.slice(start, end);
  const options = /const options = \{[^;]*\};/.exec(text.slice(0, start))?.[0];
  return options !== undefined && /\boptions\b/.test(call) ? `${call} where ${options}` : call;
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

  it("starts no program without saying what is in its environment", () => {
    const starts = files.flatMap((file) => programStarts(withoutComments(source.get(file)!), file));
    assert.ok(starts.length >= 10, "they are found at all");
    assert.deepEqual(
      starts.filter(({ call }) => !/\benv\b/.test(call)).map(({ file, call }) => `${file}: ${call}`),
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
