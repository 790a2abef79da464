import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { open } from "node:fs/promises";

/** Downloads `url` through tor's SOCKS port on a circuit of its own into a file; throws unless curl succeeds. */
export async function curl(socksPort: number, url: string, path: string, range?: string): Promise<void> {
  const isolation = randomBytes(8).toString("hex");
  const child = spawn(
    "curl",
    ["-sSf", "-o", path, "--socks5-hostname", `127.0.0.1:${socksPort}`, "--proxy-user", `${isolation}:x`]
      .concat(range ? ["-r", range] : [])
      .concat(url),
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const [code] = await once(child, "close");
  assert.equal(code, 0, "curl failed");
}

/** Downloads `parts` ranges at once, each on its own circuit; resolves when all are on disk. */
export async function curlRanges(
  socksPort: number,
  url: string,
  path: string,
  size: number,
  parts: number,
): Promise<void> {
  const length = Math.ceil(size / parts);
  const range = (i: number) => `${i * length}-${Math.min(size, (i + 1) * length) - 1}`;
  await Promise.all(Array.from({ length: parts }, (_, i) => curl(socksPort, url, `${path}.${i}`, range(i))));
}

export async function fileSize(path: string): Promise<number> {
  await using file = await open(path, "r");
  return (await file.stat()).size;
}
