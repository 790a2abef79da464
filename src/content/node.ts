import { withBitswap } from "@helia/bitswap";
import { withLibp2pLight } from "@helia/libp2p";
import { identify } from "@libp2p/identify";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createHeliaLight } from "helia";
import type { Abortable } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import { type Blocks, wholeBlock } from "./blocks.ts";
import type { BlockSource } from "./sources.ts";

/** Peers at once. */
const MAX_CONNECTIONS = 64;
/** Bytes of one Bitswap message: a block of 2 MiB and its frame. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** A Helia node of this home: serves its blocks by Bitswap, and asks peers for those that it lacks. */
export interface ContentNode extends AsyncDisposable {
  /** Where it listens, with its identity of this run. */
  readonly addresses: readonly string[];
  /**
   * The peers at these multiaddresses, as one source.
   * @throws CONTENT_UNREACHABLE when there is none
   */
  connect(peers: readonly string[], options: Abortable): Promise<BlockSource>;
}

/**
 * Starts a node that knows only the peers it is told of: no bootstrap, no DHT, no discovery on the local network, no hole
 * in a router. Its key is new each time, so that its runs are not one another's.
 * @param listen Multiaddress to listen on; undefined: it only asks.
 * @throws CONTENT_LISTEN_FAILED
 */
export async function startNode(blocks: Blocks, listen: string | undefined): Promise<ContentNode> {
  const light = createHeliaLight({ blockstore: blocks.store });
  const node = withBitswap(
    withLibp2pLight(light, {
      addresses: { listen: listen === undefined ? [] : [listen] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionManager: { maxConnections: MAX_CONNECTIONS },
      services: { identify: identify() },
    }),
    { maxInboundStreams: 32, maxIncomingMessageSize: MAX_MESSAGE_BYTES },
  );
  await node.start().catch(async (cause) => {
    await node.stop();
    throw new IchainError("CONTENT_LISTEN_FAILED", `The node cannot listen on ${listen}.`, { cause });
  });
  return {
    addresses: node.libp2p.getMultiaddrs().map(String),
    async connect(peers, { signal }) {
      const reached = await Promise.allSettled(
        peers.map((peer) => node.libp2p.dial(multiaddr(peer), { signal })),
      );
      signal.throwIfAborted();
      const failed = reached.find((one) => one.status === "rejected");
      if (failed && reached.every((one) => one.status === "rejected")) {
        throw new IchainError("CONTENT_UNREACHABLE", `No node answers at ${peers.join(", ")}.`, {
          cause: failed.reason,
        });
      }
      return {
        name: peers.join(", "),
        get: (cid, options) => wholeBlock(node.blockstore.get(cid, options)),
      };
    },
    async [Symbol.asyncDispose]() {
      await node.stop();
    },
  };
}
