import type { Abortable } from "../async/abort.ts";

/** A file by its hash: a UnixFS DAG of blocks under one content identifier (CID). */
export interface ContentFile {
  /** Version 1, base 32: `bafy…` or `bafk…`. */
  readonly cid: string;
  /** Of the file. */
  readonly bytes: number;
  readonly blocks: number;
}

/** How much has been moved; `total` is what the root claims. */
export type ContentProgress = (done: number, total: number | undefined) => void;

interface Watched extends Abortable {
  readonly onProgress?: ContentProgress | undefined;
}

/** How files are cut into blocks: IPIP-499's `unixfs-v1-2025`, or Kubo's `ipfs add --cid-version=1` before it. */
export const contentProfiles = {
  "unixfs-v1-2025": { chunkBytes: 1_048_576, links: 1024 },
  "kubo-256k": { chunkBytes: 262_144, links: 174 },
} as const;
export type ContentProfile = keyof typeof contentProfiles;

export interface ContentServer extends AsyncDisposable {
  /** Of the trustless gateway, `http://127.0.0.1:8089`. */
  readonly gateway: string;
  /** Multiaddresses of the node, which speaks Bitswap. */
  readonly nodes: readonly string[];
}

/**
 * Public data under CIDs, and the blocks that this home keeps. No block is taken or given without a look at its hash.
 * Every method throws CONTENT_IO, and those that take a CID CONTENT_CID_UNKNOWN.
 */
export interface Content {
  /**
   * The CID of a file, the same that other implementations compute; `keep` puts its blocks into this home.
   * @throws CONTENT_IO
   */
  cidOf(path: string, options: Watched & { profile: ContentProfile; keep: boolean }): Promise<ContentFile>;

  /**
   * Writes all blocks of a file into a CAR archive (version 1), in depth-first order, each once.
   * @throws CONTENT_MISSING, CONTENT_MALFORMED, CONTENT_TOO_LARGE
   */
  exportCar(cid: string, path: string, options: Watched & { most: number }): Promise<ContentFile>;

  /**
   * Takes the blocks of a CAR archive into this home, and looks that each of its roots is a whole file.
   * @throws CONTENT_BLOCK_WRONG, CONTENT_MISSING, CONTENT_MALFORMED, CONTENT_TOO_LARGE
   */
  importCar(path: string, options: Watched & { most: number }): Promise<readonly ContentFile[]>;

  /**
   * Fetches what this home lacks of a file from `sources`, and writes the file. A second call fetches what the first did
   * not.
   * @param sources URLs of trustless gateways, multiaddresses of nodes; any may have any block.
   * @throws CONTENT_BLOCK_WRONG when one lies and no other has the block, CONTENT_UNREACHABLE, CONTENT_MALFORMED,
   * CONTENT_TOO_LARGE
   */
  fetch(
    cid: string,
    path: string,
    options: Watched & { sources: readonly string[]; most: number },
  ): Promise<ContentFile & { readonly fetched: number }>;

  /**
   * Serves the blocks of this home, and fetches none for anybody, until disposed of.
   * @throws CONTENT_LISTEN_FAILED
   */
  serve(options: Abortable & { gateway: string; node: string }): Promise<ContentServer>;
}
