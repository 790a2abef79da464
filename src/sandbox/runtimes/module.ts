import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The Python module `ichain` (docs/tasks.md), which every runtime with Python has. */
export const moduleFolder = fileURLToPath(new URL("../../../python/ichain", import.meta.url));

/** Shell steps that install it from the folder in `TASK_MODULE`; `$1` is the new root. */
export const moduleSteps: readonly string[] = [
  // Debian's own folder for modules: every version of Python looks there, and it is compiled with the others.
  'install -d -m 0755 "$1/usr/lib/python3/dist-packages/ichain"',
  'install -m 0644 "$TASK_MODULE"/*.py "$TASK_MODULE"/py.typed "$1/usr/lib/python3/dist-packages/ichain"',
];

/** Changes with the name or content of any file that the steps install. */
export async function moduleHash(): Promise<string> {
  const files = (await readdir(moduleFolder)).filter((name) => /\.py$|^py\.typed$/.test(name)).sort();
  const hash = createHash("sha256");
  for (const name of files) {
    const content = await readFile(join(moduleFolder, name));
    hash.update(`${name} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}
