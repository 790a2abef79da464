import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import {
  checkPath,
  checkPaths,
  comparePaths,
  pathProblem,
  quotePath,
} from "../../../src/protocol/parcel/paths.ts";

const unsafe = (error: unknown) => isIchainError(error, "PARCEL_UNSAFE_PATH") && error.class === "untrusted";

test("plain relative paths are safe", () => {
  for (const path of [
    "a",
    "a/b.txt",
    ".hidden",
    "..a",
    "a..",
    "été/日本.txt",
    "😀",
    "a b",
    "x".repeat(255),
    "CON",
  ]) {
    assert.equal(pathProblem(path), undefined, path);
    checkPath(path);
  }
});

test("a path is at most 1024 bytes, counted in UTF-8", () => {
  const path = (bytes: number) =>
    "é/".repeat(15) + "a/".repeat(9) + "x".repeat(255).concat("/").repeat(3) + "y".repeat(bytes - 831);
  assert.equal(new TextEncoder().encode(path(1024)).length, 1024);
  checkPath(path(1024));
  assert.throws(() => checkPath(path(1025)), unsafe);
});

test("a path that passes the check stays below its folder", () => {
  const piece = fc.constantFrom(
    "..",
    ".",
    "",
    "/",
    "\\",
    "a",
    "B",
    "\0",
    "c:",
    "é",
    "e\u0301",
    "\u202e",
    "\ud800",
    " ",
  );
  const anyPath = fc.oneof(
    fc.array(piece, { maxLength: 6 }).map((parts) => parts.join("/")),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(anyPath, (path) => {
      if (pathProblem(path) !== undefined) return;
      const resolved = new URL(path.split("/").map(encodeURIComponent).join("/"), "file:///root/of/it/")
        .pathname;
      assert.ok(resolved.startsWith("/root/of/it/") && resolved.length > "/root/of/it/".length, path);
      assert.ok(!/[\p{Cc}\\]/u.test(path));
      assert.equal(new TextDecoder().decode(new TextEncoder().encode(path)), path);
    }),
    { numRuns: 2000 },
  );
});

/** The rule in its simplest form, which is too slow for 100,000 files. */
function collides(paths: readonly string[]): boolean {
  const seen = new Set<string>();
  const folders = new Set<string>();
  const folded = paths.map((path) => path.toUpperCase().toLowerCase());
  for (const path of folded) {
    if (seen.has(path)) return true;
    seen.add(path);
    const segments = path.split("/");
    for (let i = 1; i < segments.length; i++) folders.add(segments.slice(0, i).join("/"));
  }
  return folded.some((path) => folders.has(path));
}

test("exactly the paths that collide on a disk are refused", () => {
  const segment = fc.constantFrom("a", "A", "b", "a-", "a.", "ß", "SS", "ss", "é", "É");
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  fc.assert(
    fc.property(fc.array(path, { maxLength: 8 }), (paths) => {
      if (collides(paths)) return assert.throws(() => checkPaths(paths), unsafe);
      const folders = new Set(
        paths.flatMap((one) =>
          one
            .toUpperCase()
            .toLowerCase()
            .split("/")
            .slice(0, -1)
            .map((_, i, all) => all.slice(0, i + 1).join("/")),
        ),
      );
      assert.equal(checkPaths(paths).folders, folders.size);
    }),
    { numRuns: 2000 },
  );
});

test("the order of paths is the order of their bytes", () => {
  const path = fc.string({ unit: "grapheme", maxLength: 6 });
  const bytes = (one: string) => Buffer.from(one);
  fc.assert(
    fc.property(path, path, (a, b) => {
      assert.equal(Math.sign(comparePaths(a, b)), Buffer.compare(bytes(a), bytes(b)));
    }),
    { numRuns: 2000 },
  );
  assert.ok(comparePaths("\uffff", "😀") < 0);
});

test("a quoted path is short and has no control or format characters", () => {
  const shown = quotePath(`\u001b[2J\u202e${"x".repeat(500)}\ud800`);
  assert.ok(shown.length < 100);
  assert.ok(!/[\p{Cc}\p{Cf}]/u.test(shown));
});

test("100,000 deep paths are checked within ten seconds", () => {
  const paths = Array.from({ length: 100_000 }, (_, i) => `${"d/".repeat(30)}${i}`);
  const start = performance.now();
  checkPaths(paths);
  assert.ok(performance.now() - start < 10_000);
});
