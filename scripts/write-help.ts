// Leaves beside the built program what the compiler does not: the text of `ichain --help`, which it answers with (see
// src/main.ts), and the page of `ichain web`.
import { cpSync, writeFileSync } from "node:fs";

process.stdout.columns = 80;
const { parseCommandLine } = (await import(
  new URL("../dist/commands/program.js", import.meta.url).href
)) as typeof import("../src/commands/program.ts");
const help = parseCommandLine(["--help"]);
if (help.kind === "text") writeFileSync(new URL("../dist/help.txt", import.meta.url), help.text);
cpSync(new URL("../src/web/page/", import.meta.url), new URL("../dist/web/page/", import.meta.url), {
  recursive: true,
});
