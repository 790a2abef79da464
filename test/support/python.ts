import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The module `ichain` of the runtimes, as PYTHONPATH. */
export const modulePath = fileURLToPath(new URL("../../python", import.meta.url));

/** Python: `PYTHON` where it is set, else the one on the PATH. It finds `ichain` and leaves no compiled files. */
export function python(args: readonly string[]): string {
  return execFileSync(process.env.PYTHON ?? "python3", args, {
    encoding: "utf8",
    env: { PATH: process.env.PATH, PYTHONPATH: modulePath, PYTHONDONTWRITEBYTECODE: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/**
 * Options of a test that needs Python with `modules`. Where one is missing it is skipped, under CI too: ichain runs
 * without Python, and the runtimes' own tests have all modules.
 */
export function needsPython(...modules: readonly string[]): { skip?: string } {
  try {
    python(["-c", `import ${modules.join(", ")}`]);
    return {};
  } catch {
    return { skip: `needs Python with ${modules.join(", ")}` };
  }
}
