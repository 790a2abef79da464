import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import { type Dockerd, isolatedFlags, startDockerd } from "./dockerd.ts";
import { tinyRoot } from "./tiny-root.ts";

export interface TestSwarm {
  readonly manager: Dockerd;
  readonly workers: readonly Dockerd[];
  /** Root-filesystem digest of the image that every node holds. */
  readonly image: string;
  /** Ids of the nodes, the manager's first. */
  readonly nodes: readonly string[];
}

let count = 0;

/**
 * A swarm on the loopback interface of a manager and `workers` more engines, which all hold the tiny image. It is
 * removed when the test ends. Pass a `lifo` as `t`, so that its network bridge is removed after its engines.
 */
export async function startSwarm(
  t: Pick<TestContext, "after">,
  {
    workers = 0,
    flags = isolatedFlags,
    workerFlags = [],
  }: { workers?: number; flags?: readonly string[]; workerFlags?: readonly string[] } = {},
): Promise<TestSwarm> {
  const bridge = "docker_gwbridge"; // every member of a swarm creates it and does not remove it
  const before = existsSync(`/sys/class/net/${bridge}`);
  if (!before) t.after(() => void execFileSync("ip", ["link", "delete", bridge]));
  const root = tinyRoot();
  const base = 20_000 + ((process.pid * 16) % 10_000) + 8 * count++;
  const load = (node: Dockerd) => node.docker(["import", "-", "ichain/tiny"], root);
  const manager = await startDockerd(t, flags);
  load(manager);
  manager.docker(["swarm", "init", "--dispatcher-heartbeat=1s", ...at("127.0.0.1", base)]);
  const token = manager.docker(["swarm", "join-token", "--quiet", "worker"]);
  const joined: Dockerd[] = [];
  for (let i = 1; i <= workers; i++) {
    const worker = await startDockerd(t, [...isolatedFlags, ...workerFlags]);
    // The same bytes as on the manager, hence the same id.
    worker.docker(["load"], manager.dockerBytes(["save", "ichain/tiny"]));
    worker.docker([
      "swarm",
      "join",
      "--token",
      token,
      ...at(`127.0.0.${1 + i}`, base + i),
      `127.0.0.1:${base}`,
    ]);
    joined.push(worker);
  }
  const nodes = [manager, ...joined].map((one) => one.docker(["info", "--format={{.Swarm.NodeID}}"]));
  const image = manager.docker(["image", "inspect", "ichain/tiny", "--format={{index .RootFS.Layers 0}}"]);
  return { manager, workers: joined, image, nodes };
}

function at(address: string, port: number): string[] {
  return [`--listen-addr=${address}:${port}`, `--advertise-addr=${address}`, `--data-path-addr=${address}`];
}
