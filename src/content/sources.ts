import type { CID } from "multiformats/cid";
import { type Abortable, linkSignals } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import { wholeBlock } from "./blocks.ts";
import { isBlock } from "./cid.ts";

/** For one block from one source, milliseconds: 2 MiB at 70 kB/s. */
const BLOCK_MS = 30_000;

/** Where blocks come from: a gateway or a node. What it gives has yet to be looked at. */
export interface BlockSource {
  readonly name: string;
  get(cid: CID, options: Abortable): Promise<Uint8Array>;
}

/** A trustless gateway over HTTP: https://specs.ipfs.tech/http-gateways/trustless-gateway/. */
export function gatewaySource(url: string): BlockSource {
  const base = url.replace(/\/+$/, "");
  return {
    name: base,
    async get(cid, { signal }) {
      const response = await fetch(`${base}/ipfs/${cid}?format=raw`, {
        headers: { accept: "application/vnd.ipld.raw" },
        signal,
      });
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        throw new IchainError("CONTENT_UNREACHABLE", `${base} answered ${response.status} for ${cid}.`);
      }
      return wholeBlock(response.body);
    },
  };
}

/**
 * Asks one source after another, beginning with the one that gave the last block, until one has what `cid` names. One
 * that gave something else is asked no more.
 */
export function fetcherOf(sources: readonly BlockSource[]): BlockSource["get"] {
  const liars = new Map<BlockSource, IchainError>();
  let first = 0;
  return async (cid, { signal }) => {
    const faults: unknown[] = [];
    for (let i = 0; i < sources.length; i++) {
      const at = (first + i) % sources.length;
      const source = sources[at]!;
      if (liars.has(source)) continue;
      try {
        using limited = linkSignals([signal], BLOCK_MS);
        const bytes = await source.get(cid, limited);
        if (await isBlock(cid, bytes)) {
          first = at;
          return bytes;
        }
        const text = `What ${source.name} gave for ${cid} is something else.`;
        liars.set(source, new IchainError("CONTENT_BLOCK_WRONG", text, { details: { source: source.name } }));
      } catch (error) {
        signal.throwIfAborted();
        faults.push(error);
      }
    }
    const [lie] = liars.values();
    if (lie !== undefined && liars.size === sources.length) throw lie;
    throw new IchainError("CONTENT_UNREACHABLE", `No source gave block ${cid}.`, {
      cause: lie ?? faults[0],
      details: { cid: cid.toString(), sources: sources.map(({ name }) => name) },
    });
  };
}
