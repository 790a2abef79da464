import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Flags of tar that make the archive reproducible, so that two engines hold the same image. */
const reproducible = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];

/**
 * A root filesystem of a few megabytes with this machine's shell and its libraries, as a tar archive; `links`
 * (name → target) are added to it.
 */
export function tinyRoot(links: Readonly<Record<string, string>> = {}): Buffer {
  const root = mkdtempSync(join(tmpdir(), "ichain-image-"));
  try {
    for (const path of programs()) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      copyFileSync(realpathSync(path), join(root, path));
    }
    symlinkSync("usr/bin", join(root, "bin"));
    symlinkSync("dash", join(root, "usr/bin/sh"));
    mkdirSync(join(root, "usr/lib/ichain"), { recursive: true });
    copyFileSync("/usr/bin/timeout", join(root, "usr/lib/ichain/deadline"));
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
    return execFileSync("tar", [...reproducible, "-C", root, "-c", "."], { maxBuffer: 1 << 28 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function programs(): string[] {
  const names = ["dash", "pwd", "ls", "timeout", "touch", "sleep", "cat"].map((name) => `/usr/bin/${name}`);
  const libraries = execFileSync("ldd", names, { encoding: "utf8" }).match(/\/\S+\.so\S*/g) ?? [];
  return [...new Set([...names, ...libraries])];
}
