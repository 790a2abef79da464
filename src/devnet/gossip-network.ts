import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Wallet } from "ethers";
import { stringify } from "yaml";
import type { Abortable } from "../async/abort.ts";
import type { Reporter } from "../ports/reporter.ts";
import type { Address, Hex } from "../protocol/ids.ts";
import { type Child, type Line, startChild } from "./child.ts";
import { asOwnerOf, type Home, makeHome } from "./homes.ts";
import { startTorNetwork } from "./tor/network.ts";

const program = fileURLToPath(new URL("../../bin/ichain.js", import.meta.url));

export interface GossipNetworkRequest {
  readonly dir: string;
  readonly peers: number;
  readonly transport: "onion" | "direct";
  /** gossip.yaml of a peer, without its neighbours: the first one introduces the others to each other. */
  readonly file: (at: number) => object;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** One peer in a process of its own. */
export interface PlayedPeer {
  readonly name: string;
  readonly account: Address;
  readonly home: Home;
  /** Folder of its gossip.yaml. */
  readonly folder: string;
  readonly store: string;
  /** The first line, of its present process, for which `wanted` holds. */
  line(wanted: (line: Line) => boolean, options: Abortable): Promise<Line>;
  /** Ends it with SIGKILL, as a crash would, and resolves when it has ended. */
  kill(): Promise<void>;
  /** Starts it, again where it was killed; resolves once others can reach it. */
  start(options: Abortable): Promise<void>;
  /** Ends it with SIGTERM. */
  stop(): Promise<void>;
}

export interface GossipNetwork {
  readonly peers: readonly PlayedPeer[];
  /** Leaves no process behind. */
  stop(): Promise<void>;
}

/**
 * A gossip network on this machine, over a private Tor network or on loopback: peers as processes of the real binary.
 * @throws TORNET_FAILED, CHILD_FAILED
 */
export async function startGossipNetwork(request: GossipNetworkRequest): Promise<GossipNetwork> {
  const { dir, transport, reporter, signal } = request;
  await using stack = new AsyncDisposableStack();
  const step = async <T>(id: string, text: string, work: Promise<T>): Promise<T> => {
    reporter.emit({ kind: "start", id, text });
    const done = await work;
    reporter.emit({ kind: "end", id, text });
    return done;
  };
  const tor =
    transport === "onion"
      ? await step("tor", "A private Tor network", startTorNetwork({ dir: join(dir, "tornet"), signal }))
      : undefined;
  if (tor) stack.defer(() => tor.stop());
  const settings = {
    transport,
    ...(tor && { tor: { networkTorrc: tor.networkTorrc } }),
  };
  const peers: PlayedPeer[] = [];
  let introducer: string | undefined;
  for (let at = 0; at < request.peers; at++) {
    const wallet = Wallet.createRandom();
    const account = { address: wallet.address as Address, privateKey: wallet.privateKey as Hex };
    const home = await makeHome(dir, `peer-${at}`, account, settings);
    const folder = join(dir, `files-${at}`);
    await mkdir(folder, { recursive: true });
    const others = Math.max(1, request.peers - 1);
    const met = introducer === undefined ? { introduces: true } : { introducer };
    const content = { ...request.file(at), ...met, strangers: others };
    const path = join(folder, "gossip.yaml");
    await writeFile(path, stringify(content));
    const peer = playPeer(home, {
      folder,
      path,
      network: (content as unknown as { name: string }).name,
      dir,
    });
    stack.defer(() => peer.stop());
    peers.push(peer);
    if (introducer !== undefined) continue;
    const asked = startChild({
      name: "ichain gossip address",
      argv: [program, "gossip", "address", path, "--json"],
      env: asOwnerOf(home),
      log: join(dir, `${home.name}.log`),
    });
    introducer = String((await asked.line((line) => "address" in line, { signal })).address);
    await asked.stop();
  }
  await step("peers", `${request.peers} peers`, Promise.all(peers.map((peer) => peer.start({ signal }))));
  const running = stack.move();
  return { peers, stop: () => running.disposeAsync() };
}

function playPeer(
  home: Home,
  { folder, path, network, dir }: { folder: string; path: string; network: string; dir: string },
): PlayedPeer {
  let child: Child | undefined;
  return {
    ...{ name: home.name, account: home.account, home, folder },
    store: join(home.dir, "gossip", network, "peer.db"),
    line: (wanted, options) => child!.line(wanted, options),
    async kill() {
      child?.kill();
      await child?.exited;
    },
    async start({ signal }) {
      child = startChild({
        name: home.name,
        argv: [program, "gossip", "run", path, "--json"],
        env: asOwnerOf(home),
        log: join(dir, `${home.name}.log`),
      });
      await child.line((line) => line.event === "ready", { signal });
    },
    stop: async () => child?.stop(),
  };
}
