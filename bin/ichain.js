#!/usr/bin/env node
// Plain JavaScript that any Node can parse: it checks the version before newer syntax is loaded.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(`ichain needs Node 24 or newer; this is ${process.versions.node}.`);
  console.error("Hint: run scripts/install.sh, which brings Node 24, or install it from nodejs.org.");
  process.exit(3);
}

const { existsSync } = await import("node:fs");
const { enableCompileCache } = await import("node:module");
const { compileCacheFolder } = await import("./compile-cache.js");
const cache = compileCacheFolder();
if (cache !== undefined) enableCompileCache?.(cache);
// A checkout that was never built runs from its sources.
const built = new URL("../dist/main.js", import.meta.url);
const { main } = await import(
  existsSync(built) ? built.href : new URL("../src/main.ts", import.meta.url).href
);
await main(process.argv.slice(2));
