import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { Blob, Hosting, Transport } from "../../../ports/transport.ts";
import { toHex } from "../../../protocol/bytes.ts";
import type { Layout } from "../../../protocol/federated/digest.ts";
import { type Model, readModel, writeModel } from "../../../protocol/federated/model-file.ts";
import { Vector } from "../../../protocol/federated/vector.ts";
import {
  isPacked,
  type ModelPacking,
  packedBytes,
  packWeights,
  unpackWeights,
} from "../../../protocol/gossip/packed-model.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { Endpoint } from "../../../protocol/parcel/locator.ts";
import { readBounded } from "../../federated/market/read-bounded.ts";

const FORM = /^([0-9a-f]{64})\.(safetensors|int8)$/;

interface Kept {
  readonly blob: Blob;
  /** Unix seconds; hosted for so long. */
  until: number;
}

/** A model as it travels: SHA-256 and length of its file. */
export interface ShownModel {
  readonly digest: Hex;
  readonly bytes: number;
}

/**
 * Models as files named by their SHA-256, and hosted: a peer's own, and others' while they are needed. A file is as it
 * travels, packed or as safetensors; how long it is then the network says.
 */
export class ModelFiles {
  readonly #dir: string;
  readonly #layout: Layout;
  readonly #weights: number;
  readonly #plainBytes: number;
  readonly #packedBytes: number;
  readonly #packing: ModelPacking | undefined;
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
      packing,
    }: {
      readonly transport: Transport;
      readonly hashBlob: (path: string) => Promise<Blob>;
      /** Of the models that are put here; those that come may be of either form. */
      readonly packing?: ModelPacking | undefined;
    },
  ) {
    this.#dir = dir;
    this.#layout = start.layout;
    this.#plainBytes = writeModel(start).length;
    this.#weights = start.vector.length;
    this.#packedBytes = packedBytes(this.#weights);
    this.#packing = packing;
    this.#transport = transport;
    this.#hashBlob = hashBlob;
  }

  /** Takes up the files of the process before that are younger than `life` seconds, and removes the others. */
  async open(life: number, now: number): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#dir)) {
      const path = join(this.#dir, name);
      const until = Math.floor((await stat(path)).mtimeMs / 1000) + life;
      const digest = FORM.exec(name)?.[1];
      if (digest === undefined || until <= now) await rm(path, { recursive: true, force: true });
      else this.#files.set(`0x${digest}`, { blob: await this.#hashBlob(path), until });
    }
  }

  /** Whether a model of this network can be so long as it travels. */
  canTravelAs(bytes: number): boolean {
    return bytes === this.#plainBytes || bytes === this.#packedBytes;
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

  /** Keeps and serves a model, at least until then. */
  async put(model: Model, until: number): Promise<ShownModel> {
    const file = this.#packing === undefined ? writeModel(model) : packWeights(model.vector.toNumbers());
    const digest = digestOf(file);
    const path = this.#pathOf(digest, file);
    await writeFile(path, file, { mode: 0o600 });
    await this.#keep(digest, path, until);
    return { digest, bytes: file.length };
  }

  /**
   * Fetches a neighbour's model of so many bytes, and keeps and serves it until then.
   * @throws MODEL_INVALID where it is another model, or of another form; the codes of a fetch
   */
  async fetch(
    { endpoint, root, digest, bytes, until }: ShownModel & { endpoint: Endpoint; root: Hex; until: number },
    { signal }: Abortable,
  ): Promise<void> {
    if (!this.canTravelAs(bytes)) throw other("no model of the network is as long");
    const known = this.#files.get(digest);
    if (known !== undefined) {
      known.until = Math.max(known.until, until);
      return;
    }
    // Two neighbours may show the same model at once.
    const folder = await mkdtemp(join(this.#dir, "coming-"));
    const coming = join(folder, "model");
    try {
      await this.#transport.fetch({ endpoint, root, path: coming, maxBytes: bytes }, { signal });
      const file = await readBounded(coming, bytes);
      if (file.length !== bytes) throw other("it has another length");
      if (digestOf(file) !== digest) throw other("its digest is another");
      this.#parse(file);
      const path = this.#pathOf(digest, file);
      await rename(coming, path);
      await this.#keep(digest, path, until);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** @throws MODEL_INVALID where it is not here, or no longer */
  async read(digest: Hex): Promise<Model> {
    const kept = this.#files.get(digest);
    if (kept === undefined) throw other("it is not here");
    return this.#parse(await readFile(kept.blob.path));
  }

  /** The file of a model, as it travels; undefined where it is not here, or no longer. */
  fileOf(digest: Hex): string | undefined {
    return this.#files.get(digest)?.blob.path;
  }

  /** Writes a model as safetensors, as tasks read it; false where it is not here, or no longer. */
  async copyTo(digest: Hex, path: string): Promise<boolean> {
    const kept = this.#files.get(digest);
    const file = kept && (await readFile(kept.blob.path).catch(() => undefined));
    if (file === undefined) return false;
    await writeFile(path, isPacked(file) ? writeModel(this.#parse(file)) : file);
    return true;
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

  async #keep(digest: Hex, path: string, until: number): Promise<void> {
    const blob = await this.#hashBlob(path);
    this.#files.set(digest, { blob, until });
    await this.#hosting?.add(blob);
  }

  #pathOf(digest: Hex, file: Uint8Array): string {
    return join(this.#dir, `${digest.slice(2)}.${isPacked(file) ? "int8" : "safetensors"}`);
  }

  /** @throws MODEL_INVALID and the codes of reading safetensors */
  #parse(file: Uint8Array): Model {
    const layout = this.#layout;
    if (isPacked(file)) return { layout, vector: Vector.fromNumbers(unpackWeights(file, this.#weights)) };
    const model = readModel(file);
    if (JSON.stringify(model.layout) !== JSON.stringify(layout)) throw other("its tensors are others");
    return model;
  }
}

function digestOf(bytes: Uint8Array): Hex {
  return toHex(createHash("sha256").update(bytes).digest());
}

function other(why: string): IchainError {
  return new IchainError("MODEL_INVALID", `A neighbour's model is not the one that it named: ${why}.`);
}
