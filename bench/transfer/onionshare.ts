import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Share {
  readonly url: string;
  readonly process: ChildProcess;
}

/** Shares one file with Debian's onionshare-cli over a running tor; resolves with its URL. */
export async function shareWithOnionShare(dir: string, controlSocket: string, path: string): Promise<Share> {
  const config = join(dir, "onionshare.json");
  await writeFile(
    config,
    JSON.stringify({
      connection_type: "socket_file",
      socket_file_path: controlSocket,
      auth_type: "no_auth",
      use_autoupdate: false,
    }),
  );
  const args = ["--config", config, "--public", "--no-autostop-sharing", path];
  const child = spawn("onionshare-cli", args, {
    env: { ...process.env, HOME: dir, PYTHONUNBUFFERED: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/[a-z2-7]{56}\.onion/.exec(line)?.[0];
    if (url) {
      child.stdout.resume();
      return { url, process: child };
    }
  }
  return assert.fail("onionshare-cli ended without a URL");
}
