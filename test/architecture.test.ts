import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../src/", import.meta.url));
const files = globSync("**/*.ts", { cwd: root }).toSorted();
const source = new Map(files.map((file) => [file, readFileSync(`${root}${file}`, "utf8")]));

const map = readFileSync(new URL("../docs/architecture.md", import.meta.url), "utf8");
const ALL = "everything";

/** Which parts of src/ each part may import besides itself: the table of docs/architecture.md. */
const allowed: ReadonlyMap<string, readonly string[]> = new Map(
  [...map.matchAll(/^\| (`[^|]+) \| [^|]+ \| ([^|]+) \|$/gm)].flatMap(([, parts, imports]) =>
    [...new Set([...parts!.matchAll(/`([\w.]+)\/?`/g)].map(([, part]) => partOf(part!)))].map(
      (part) => [part, imports === "nothing" ? [] : imports!.split(", ")] as const,
    ),
  ),
);

/** Single files that a part may import beside that: the list below the table. */
const exceptions: readonly (readonly [from: string, to: string])[] = [
  ...map.matchAll(/^- `(\w+)\/` → `([\w/.]+)`: /gm),
].map(([, from, to]) => [from!, to!]);

function partOf(file: string): string {
  return file.split("/")[0]!.replace(/\.ts$/, "");
}

/** Paths below src/ that `file` imports, by any kind of import, types included. */
function imports(file: string): string[] {
  const specifiers = [...source.get(file)!.matchAll(/(?:\bfrom|\bimport\(|\bimport)\s*"(\.[^"]+)"/g)];
  return specifiers.map((match) => posix.normalize(posix.join(posix.dirname(file), match[1]!)));
}

function crossings(file: string): string[] {
  const part = partOf(file);
  return imports(file).filter((target) => {
    const to = partOf(target);
    const may = allowed.get(part) ?? [];
    if (to === part || target.startsWith("..") || may.includes(ALL) || may.includes(to)) return false;
    return !exceptions.some(([from, path]) => from === part && path === target);
  });
}

/** Sets of nodes that reach one another; `edges` may name nodes that are not keys. */
function loops(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>();
    const next = [...(edges.get(start) ?? [])];
    for (let node = next.pop(); node !== undefined; node = next.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      next.push(...(edges.get(node) ?? []));
    }
    return seen;
  };
  const reached = new Map([...edges.keys()].map((node) => [node, reach(node)]));
  const inLoops = [...reached].filter(([node, seen]) => seen.has(node)).map(([node]) => node);
  const found = inLoops.map((node) => inLoops.filter((other) => reached.get(node)!.has(other)).toSorted());
  return [...new Map(found.map((loop) => [loop.join(), loop])).values()];
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
  it("has every part of src/ in the table, and nothing else", () => {
    assert.deepEqual([...allowed.keys()].toSorted(), [...new Set(files.map(partOf))].toSorted());
  });

  it("lets dependencies point inwards only", () => {
    const wrong = files.flatMap((file) => crossings(file).map((target) => `${file} → ${target}`));
    assert.deepEqual(wrong, []);
  });

  it("allows nothing that no file needs", () => {
    const idle = [...allowed].flatMap(([part, may]) =>
      may
        .filter((to) => to !== ALL)
        .filter(
          (to) =>
            !files.some((file) => partOf(file) === part && imports(file).some((one) => partOf(one) === to)),
        )
        .map((to) => `${part} → ${to}`),
    );
    const unused = exceptions.filter(
      ([from, path]) => !files.some((file) => partOf(file) === from && imports(file).includes(path)),
    );
    assert.deepEqual([...idle, ...unused], []);
  });

  it("has no loop of files, nor of folders", () => {
    assert.deepEqual(loops(new Map(files.map((file) => [file, new Set(imports(file))]))), []);
    const related = (a: string, b: string) => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
    const folders = new Map<string, Set<string>>();
    for (const file of files) {
      const from = posix.dirname(file);
      const targets = folders.get(from) ?? new Set();
      folders.set(from, targets);
      for (const target of imports(file)) {
        const to = posix.dirname(target);
        if (from !== "." && to !== "." && !related(from, to)) targets.add(to);
      }
    }
    assert.deepEqual(loops(folders), []);
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

  it("has no barrels but the package's exports", () => {
    assert.deepEqual(
      files.filter((file) => posix.basename(file) === "index.ts"),
      ["index.ts"],
    );
  });
});
