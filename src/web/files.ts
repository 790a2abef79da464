import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The page's files, by their paths on the server, and the hashes of the scripts that are in its HTML. */
export interface PageFiles {
  readonly files: ReadonlyMap<string, { readonly type: string; readonly body: Buffer }>;
  /** As a Content-Security-Policy names them. */
  readonly inlineScripts: readonly string[];
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Libraries as their packages have them, by the names that the page imports. */
const libraries = [
  { path: "/vendor/preact.js", package: "preact", file: "dist/preact.mjs" },
  { path: "/vendor/hooks.js", package: "preact", file: "hooks/dist/hooks.mjs" },
  { path: "/vendor/htm.js", package: "htm", file: "dist/htm.mjs" },
  { path: "/vendor/uplot.js", package: "uplot", file: "dist/uPlot.esm.js" },
  { path: "/vendor/uplot.css", package: "uplot", file: "dist/uPlot.min.css" },
] as const;

/** Reads the page, and the libraries from where they are installed: nothing is built, and nothing comes from elsewhere. */
export function readPage(): PageFiles {
  const folder = fileURLToPath(new URL("./page/", import.meta.url));
  const { resolve } = createRequire(import.meta.url);
  const own = readdirSync(folder).map((name) => ({
    path: name === "index.html" ? "/" : `/${name}`,
    source: join(folder, name),
  }));
  const theirs = libraries.map(({ path, package: name, file }) => ({
    path,
    source: join(packageFolder(resolve(name), name), file),
  }));
  const files = new Map(
    [...own, ...theirs].map(({ path, source }) => [
      path,
      {
        type: types[path === "/" ? ".html" : extname(path)] ?? "application/octet-stream",
        body: readFileSync(source),
      },
    ]),
  );
  const html = files.get("/")?.body.toString() ?? "";
  const inline = [...html.matchAll(/<script type="importmap">([\s\S]*?)<\/script>/g)].map(
    ([, text = ""]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`,
  );
  return { files, inlineScripts: inline };
}

/** The package's own folder, given one of its files: not every package lets its package.json be resolved. */
function packageFolder(file: string, name: string): string {
  let folder = dirname(file);
  while (!folder.endsWith(join("node_modules", name))) folder = dirname(folder);
  return folder;
}
