// Leaves the text of `ichain --help` beside the built program, which answers with it (see src/main.ts).
import { writeFileSync } from "node:fs";

process.stdout.columns = 80;
const { parseCommandLine } = (await import(
  new URL("../dist/commands/program.js", import.meta.url).href
)) as typeof import("../src/commands/program.ts");
const help = parseCommandLine(["--help"]);
if (help.kind === "text") writeFileSync(new URL("../dist/help.txt", import.meta.url), help.text);
