import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, "utf8");
const find = (...patterns: string[]): string[] =>
  globSync(patterns, { cwd: root }).map(posix.normalize).toSorted();
const source = find("src/**/*.ts");

/** A verb of the command line is a file with `run`, however short, which its declaration loads. */
const isVerb = (path: string): boolean =>
  path.startsWith("src/commands/") && /^export async function run\(/m.test(read(path));

describe("the house", () => {
  it("exports no name twice", () => {
    const owners = new Map<string, string[]>();
    const declared =
      /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|enum) (\w+)/gm;
    for (const path of source) {
      const names = new Set([...read(path).matchAll(declared)].map(([, name]) => name!));
      for (const name of names) owners.set(name, [...(owners.get(name) ?? []), path]);
    }
    owners.delete("run"); // of the commands
    assert.deepEqual(
      [...owners].filter(([, paths]) => paths.length > 1),
      [],
    );
  });

  it("keeps a dozen files a folder at most", () => {
    const folders = new Map<string, number>();
    for (const path of [...source, ...find("contracts/**/*.sol")]) {
      const folder = posix.dirname(path);
      folders.set(folder, (folders.get(folder) ?? 0) + 1);
    }
    assert.deepEqual(
      [...folders].filter(([, count]) => count > 12),
      [],
    );
  });

  it("gives a short file to its only user", () => {
    const importers = new Map<string, number>();
    for (const path of source) {
      for (const [, target] of read(path).matchAll(/(?:\bfrom|\bimport\(|\bimport)\s*"(\.[^"]+)"/g)) {
        const file = posix.join(posix.dirname(path), target!);
        importers.set(file, (importers.get(file) ?? 0) + 1);
      }
    }
    const short = source.filter(
      (path) => !isVerb(path) && !path.endsWith(".d.ts") && read(path).split("\n").length <= 20,
    );
    assert.deepEqual(
      short.filter((path) => (importers.get(path) ?? 0) < 3),
      [],
    );
  });

  it("speaks the field's language", () => {
    const ours = /\b(Doorman|Workshop|Bench(?!:)|Bell|Patient|knock\w*|anew|whoever|nobody's)\b/i;
    const found = [...source, ...find("contracts/**/*.sol", "docs/**/*.md")].flatMap((path) =>
      read(path)
        .split("\n")
        .flatMap((line, at) => (ours.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
    );
    assert.deepEqual(found, []);
  });
});
