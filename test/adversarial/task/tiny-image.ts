import { execFileSync } from "node:child_process";
import type { TestContext } from "node:test";
import { dockerEngine } from "../../../src/sandbox/engines/docker.ts";
import type { EngineImage } from "../../../src/sandbox/engines/engine.ts";
import { DEFAULT_SOCKET } from "../../../src/sandbox/sandbox.ts";
import { tinyRoot } from "../../support/sandbox/tiny-root.ts";

let count = 0;

/**
 * An image of `tinyRoot`, imported with hostile settings (`changes`, Dockerfile instructions) or hostile links. It is
 * removed when the test ends.
 */
export async function tinyImage(
  t: TestContext,
  { changes = [], links = {} }: { changes?: readonly string[]; links?: Readonly<Record<string, string>> },
): Promise<EngineImage> {
  const tag = `ichain-test/${process.pid}-${count++}`;
  const own = { [`.${tag.replace("/", "-")}`]: "." }; // makes the image differ from those of other tests
  const flags = changes.flatMap((change) => ["--change", change]);
  execFileSync("docker", ["import", ...flags, "-", tag], {
    input: tinyRoot({ ...links, ...own }),
    timeout: 60_000,
  });
  t.after(() => execFileSync("docker", ["rmi", "-f", tag], { stdio: "ignore", timeout: 60_000 }));
  const images = await dockerEngine({ socketPath: DEFAULT_SOCKET }).images();
  return images.find(({ tags }) => tags.includes(`${tag}:latest`))!;
}
