import { isIP } from "node:net";
import type { CID } from "multiformats/cid";
import { IchainError } from "../errors/error.ts";
import type { Content, ContentFile } from "../ports/content.ts";
import { openBlocks } from "./blocks.ts";
import { carOf, readCar, writeWhole } from "./car.ts";
import { parseCid } from "./cid.ts";
import { contentOf, importFile } from "./file.ts";
import { serveGateway } from "./gateway.ts";
import { type BlockSource, fetcherOf, gatewaySource } from "./sources.ts";
import { type WalkOptions, walk } from "./walk.ts";

/** Blocks that are asked for at once. */
const FETCH_WIDTH = 8;

/**
 * The blocks in `folder`, and what is done with them. Helia is loaded when a node is needed: it takes a second.
 * @throws CONTENT_IO
 */
export async function openContent(folder: string): Promise<Content> {
  const blocks = await openBlocks(folder);
  const get = (cid: CID) => blocks.get(cid);
  return {
    cidOf: (path, { keep, ...options }) =>
      importFile(path, { ...options, blocks: keep ? blocks : undefined }),

    async exportCar(text, path, { most, signal, onProgress }) {
      const cid = parseCid(text);
      const counted = count(cid, { get, most, width: 1, signal }, onProgress);
      await writeWhole(path, carOf(cid, counted.walked), { signal });
      return counted.file();
    },

    async importCar(path, options) {
      const roots = await readCar(path, blocks, options);
      const files: ContentFile[] = [];
      for (const root of roots) {
        const counted = count(root, { get, most: options.most, width: 1, signal: options.signal });
        for await (const _ of counted.walked);
        files.push(counted.file());
      }
      return files;
    },

    async fetch(text, path, { sources, most, signal, onProgress }) {
      const cid = parseCid(text);
      await using stack = new AsyncDisposableStack();
      const nodes = sources.filter((one) => one.startsWith("/"));
      const known: BlockSource[] = sources.filter((one) => !one.startsWith("/")).map(gatewaySource);
      if (nodes.length > 0) {
        const { startNode } = await import("./node.ts");
        const node = stack.use(await startNode(blocks, undefined));
        known.push(await node.connect(nodes, { signal }));
      }
      const fetchBlock = fetcherOf(known);
      let fetched = 0;
      const counted = count(
        cid,
        {
          ...{ most, signal, width: FETCH_WIDTH },
          async get(one) {
            const own = await blocks.find(one);
            if (own !== undefined) return own;
            const bytes = await fetchBlock(one, { signal });
            await blocks.put(one, bytes);
            fetched++;
            return bytes;
          },
        },
        onProgress,
      );
      for await (const _ of counted.walked);
      await writeWhole(path, contentOf(cid, blocks, most), { signal });
      return { ...counted.file(), fetched };
    },

    async serve({ gateway, node, signal }) {
      const [at, nodeAt] = [gateway, node].map(parseEndpoint) as [Endpoint, Endpoint];
      await using stack = new AsyncDisposableStack();
      const { port } = stack.use(await serveGateway(blocks, { ...at, signal }));
      const { startNode } = await import("./node.ts");
      const { addresses } = stack.use(await startNode(blocks, multiaddressOf(nodeAt)));
      const started = stack.move();
      return {
        gateway: `http://${at.host.includes(":") ? `[${at.host}]` : at.host}:${port}`,
        nodes: addresses,
        [Symbol.asyncDispose]: () => started.disposeAsync(),
      };
    },
  };
}

/** A walk, and what it has counted when it is over. */
function count(root: CID, options: WalkOptions, onProgress?: (done: number, total: number) => void) {
  let [blocks, done, bytes] = [0, 0, 0];
  async function* walked() {
    for await (const block of walk(root, options)) {
      blocks++;
      bytes = block.total;
      done += block.bytes.length;
      onProgress?.(Math.min(done, bytes), bytes);
      yield block;
    }
  }
  return { walked: walked(), file: (): ContentFile => ({ cid: root.toString(), bytes, blocks }) };
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @throws CONTENT_LISTEN_FAILED */
function parseEndpoint(text: string): Endpoint {
  const [, six, four, port] = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15})):(\d{1,5})$/.exec(text) ?? [];
  const host = six ?? four ?? "";
  if (isIP(host) === 0 || Number(port) > 65_535) {
    throw new IchainError("CONTENT_LISTEN_FAILED", `"${text}" is not an IP address and a port.`, {
      class: "usage",
      hint: "Give it as 127.0.0.1:8089 or [::1]:8089.",
    });
  }
  return { host, port: Number(port) };
}

function multiaddressOf({ host, port }: Endpoint): string {
  return `/ip${isIP(host)}/${host}/tcp/${port}`;
}
