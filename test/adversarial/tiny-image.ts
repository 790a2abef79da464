import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { dockerEngine } from "../../src/sandbox/engines/docker.ts";
import type { EngineImage } from "../../src/sandbox/engines/engine.ts";
import { DEFAULT_SOCKET } from "../../src/sandbox/sandbox.ts";

let count = 0;

/**
 * A few megabytes of root filesystem from this machine's own shell and its libraries, imported with
 * hostile settings (`changes`, Dockerfile words) or hostile links; removed when the test ends.
 */
export async function tinyImage(
  t: TestContext,
  { changes = [], links = {} }: { changes?: readonly string[]; links?: Readonly<Record<string, string>> },
): Promise<EngineImage> {
  const root = await mkdtemp(join(tmpdir(), "ichain-image-"));
  try {
    for (const path of programs()) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      copyFileSync(realpathSync(path), join(root, path));
    }
    mkdirSync(join(root, "usr/lib/ichain"), { recursive: true });
    copyFileSync("/usr/bin/timeout", join(root, "usr/lib/ichain/deadline"));
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
    const tag = `ichain-test/${process.pid}-${count++}`;
    const flags = changes.flatMap((change) => ["--change", change]);
    const archive = execFileSync("tar", ["-C", root, "-c", "."], { maxBuffer: 1 << 28 });
    execFileSync("docker", ["import", ...flags, "-", tag], { input: archive, timeout: 60_000 });
    t.after(() => execFileSync("docker", ["rmi", "-f", tag], { stdio: "ignore", timeout: 60_000 }));
    const images = await dockerEngine({ socketPath: DEFAULT_SOCKET }).images();
    return images.find(({ tags }) => tags.includes(`${tag}:latest`))!;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function programs(): string[] {
  const names = ["/usr/bin/dash", "/usr/bin/pwd", "/usr/bin/ls", "/usr/bin/timeout", "/usr/bin/touch"];
  const libraries = execFileSync("ldd", names, { encoding: "utf8" }).match(/\/\S+\.so\S*/g) ?? [];
  return [...new Set([...names, ...libraries])];
}
