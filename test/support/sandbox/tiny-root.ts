import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Flags with which the same files make the same bytes, so that two engines hold one image. */
const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];

/**
 * A few megabytes of root filesystem from this machine's own shell and its libraries, as a tar archive;
 * `links` (name → target) are added to it.
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
    return execFileSync("tar", [...same, "-C", root, "-c", "."], { maxBuffer: 1 << 28 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function programs(): string[] {
  const names = ["dash", "pwd", "ls", "timeout", "touch", "sleep", "cat"].map((name) => `/usr/bin/${name}`);
  const libraries = execFileSync("ldd", names, { encoding: "utf8" }).match(/\/\S+\.so\S*/g) ?? [];
  return [...new Set([...names, ...libraries])];
}
