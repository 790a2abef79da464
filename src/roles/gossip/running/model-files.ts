import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { Blob, Hosting, Transport } from "../../../ports/transport.ts";
import { toHex } from "../../../protocol/bytes.ts";
import { type Model, readModel, writeModel } from "../../../protocol/federated/model-file.ts";
import type { Genesis } from "../../../protocol/gossip/genesis.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { Endpoint } from "../../../protocol/parcel/locator.ts";
import { readBounded } from "../../federated/market/read-bounded.ts";

const FORM = /^[0-9a-f]{64}\.safetensors$/;

interface Kept {
  readonly blob: Blob;
  /** Unix seconds; hosted for so long. */
  until: number;
}

/** Models as files named by their SHA-256, and hosted: a peer's own, and others' while they are needed. */
export class ModelFiles {
  readonly #dir: string;
  readonly #layout: string;
  /** Of a model as it travels: every one of a network has as many bytes. */
  readonly bytes: number;
  readonly #transport: Pick<Transport, "fetch">;
  readonly #hashBlob: (path: string) => Promise<Blob>;
  readonly #files = new Map<Hex, Kept>();
  #hosting: Hosting | undefined;

  constructor(
    dir: string,
    start: Model,
    {
      transport,
      hashBlob,
    }: { readonly transport: Transport; readonly hashBlob: (path: string) => Promise<Blob> },
  ) {
    this.#dir = dir;
    this.#layout = JSON.stringify(start.layout);
    this.bytes = writeModel(start).length;
    this.#transport = transport;
    this.#hashBlob = hashBlob;
  }

  /** Takes up the files of the process before that are younger than `life` seconds, and removes the others. */
  async open(life: number, now: number): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#dir)) {
      const path = join(this.#dir, name);
      const until = Math.floor((await stat(path)).mtimeMs / 1000) + life;
      if (!FORM.test(name) || until <= now) await rm(path, { recursive: true, force: true });
      else this.#files.set(`0x${name.slice(0, 64)}`, { blob: await this.#hashBlob(path), until });
    }
  }

  /** Serves all that are here, and those that come, from now on. */
  async serve(hosting: Hosting): Promise<void> {
    this.#hosting = hosting;
    for (const { blob } of this.#files.values()) await hosting.add(blob);
  }

  /** Merkle root of a model that is here. */
  rootOf(digest: Hex): Hex | undefined {
    return this.#files.get(digest)?.blob.root;
  }

  /** Keeps and serves a model, at least until then; resolves with its digest. */
  async put(model: Model, until: number): Promise<Hex> {
    const bytes = writeModel(model);
    const digest = digestOf(bytes);
    await writeFile(this.#pathOf(digest), bytes, { mode: 0o600 });
    await this.#keep(digest, until);
    return digest;
  }

  /**
   * Fetches a neighbour's model, and keeps and serves it until then.
   * @throws MODEL_INVALID where it is another model, or of another form; the codes of a fetch
   */
  async fetch(
    { endpoint, root, digest, until }: { endpoint: Endpoint; root: Hex; digest: Hex; until: number },
    { signal }: Abortable,
  ): Promise<void> {
    const known = this.#files.get(digest);
    if (known !== undefined) {
      known.until = Math.max(known.until, until);
      return;
    }
    const path = this.#pathOf(digest);
    // Two neighbours may show the same model at once.
    const folder = await mkdtemp(join(this.#dir, "coming-"));
    const coming = join(folder, "model");
    try {
      await this.#transport.fetch({ endpoint, root, path: coming, maxBytes: this.bytes }, { signal });
      const bytes = await readBounded(coming, this.bytes);
      if (digestOf(bytes) !== digest) throw other("its digest is another");
      if (JSON.stringify(readModel(bytes).layout) !== this.#layout) throw other("its tensors are others");
      await rename(coming, path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    await this.#keep(digest, until);
  }

  async read(digest: Hex): Promise<Model> {
    return readModel(await readFile(this.#pathOf(digest)));
  }

  /** Undefined where it is not here, or no longer. */
  pathOf(digest: Hex): string | undefined {
    return this.#files.get(digest)?.blob.path;
  }

  /** Removes those whose time has passed and that are not in `needed`. */
  async tidy(needed: ReadonlySet<Hex>, now: number): Promise<void> {
    for (const [digest, { blob, until }] of this.#files) {
      if (until > now || needed.has(digest)) continue;
      this.#files.delete(digest);
      this.#hosting?.remove(blob.root);
      for (const path of [blob.path, `${blob.path}.leaves`]) await rm(path, { force: true });
    }
  }

  async #keep(digest: Hex, until: number): Promise<void> {
    const blob = await this.#hashBlob(this.#pathOf(digest));
    this.#files.set(digest, { blob, until });
    await this.#hosting?.add(blob);
  }

  #pathOf(digest: Hex): string {
    return join(this.#dir, `${digest.slice(2)}.safetensors`);
  }
}

/** What a network trains, by its name and the model that it begins with. */
export function genesisOf(name: string, { layout }: Model): Genesis {
  return { name, layout: layout.map((one) => ({ name: one.name, shape: [...one.shape] })) };
}

function digestOf(bytes: Uint8Array): Hex {
  return toHex(createHash("sha256").update(bytes).digest());
}

function other(why: string): IchainError {
  return new IchainError("MODEL_INVALID", `A neighbour's model is not the one that it named: ${why}.`);
}
