import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Runs the three commands of docs/protocol.md, unchanged, in a folder with `result.parcel` and `key.txt`; resolves with
 * the folder of the files.
 */
export async function openByHand(folder: string): Promise<string> {
  const manual = await readFile(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
  const script = /```sh\n(head -c [^`]+)```/.exec(manual)![1]!;
  assert.equal(script.trim().split("\n").length, 3);
  await chmod(folder, 0o700);
  execFileSync("sh", ["-e", "-c", script], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, GNUPGHOME: folder, LC_ALL: "C.UTF-8" },
  });
  return join(folder, "out");
}
