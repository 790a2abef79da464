import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

export interface TestRegistry {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** Pushes a held image and resolves with its reference by digest; the engine then holds that name no more. */
  push(imageId: string, name: string): string;
  stop(): Promise<void>;
}

/** Debian's docker-registry on loopback, with a folder of its own. */
export async function startRegistry(t: Pick<TestContext, "after">): Promise<TestRegistry> {
  const dir = await mkdtemp(join(tmpdir(), "ichain-registry-"));
  const config = join(dir, "config.yml");
  const storage = { filesystem: { rootdirectory: join(dir, "data") } };
  const log = { formatter: "json", accesslog: { disabled: true } };
  await writeFile(config, JSON.stringify({ version: "0.1", log, storage, http: { addr: "127.0.0.1:0" } }));
  const child = spawn("docker-registry", ["serve", config], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "close");
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  t.after(async () => {
    await stop();
    await rm(dir, { recursive: true, force: true });
  });
  let host = "";
  for await (const line of createInterface({ input: child.stderr })) {
    host = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1] ?? "";
    if (host !== "") break;
  }
  child.stderr.resume();
  return {
    host,
    push(imageId, name) {
      const tag = `${host}/${name}:pushed`;
      execFileSync("docker", ["tag", imageId, tag]);
      const said = execFileSync("docker", ["push", tag], { encoding: "utf8", timeout: 120_000 });
      const digest = /digest: (sha256:[0-9a-f]{64})/.exec(said)?.[1];
      execFileSync("docker", ["rmi", tag], { stdio: "ignore" });
      return `${host}/${name}@${digest}`;
    },
    stop,
  };
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A registry that `answer` makes hostile: it sees each request first, and what it leaves alone is answered by `origin`.
 * Resolves with its host.
 */
export async function startHostileRegistry(
  t: Pick<TestContext, "after">,
  origin: string,
  answer: (path: string) => Answer | undefined,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const own = answer(path);
    if (own) return own(request, response);
    const { accept = "*/*" } = request.headers;
    const from = await fetch(`http://${origin}${path}`, { method: request.method!, headers: { accept } });
    const kept = ["content-type", "docker-content-digest", "docker-distribution-api-version"];
    const headers = kept.flatMap((name) => {
      const value = from.headers.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    response.writeHead(from.status, Object.fromEntries(headers));
    response.end(Buffer.from(await from.arrayBuffer()));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
