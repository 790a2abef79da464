import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import { toHex } from "../../../protocol/bytes.ts";
import type { Genesis } from "../../../protocol/gossip/genesis.ts";
import { sizeOf } from "../../../protocol/gossip/packed-model.ts";
import type { Mix } from "../../../protocol/gossip/settle/trials.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { modelFile, modelWeights } from "../model-file.ts";

/** Weights that are kept in memory, bytes; the oldest give way. */
const MOST_HELD = 1 << 30;

/** How a model's file may end; what is in it decides whether it is packed. */
const ENDS = [".safetensors", ".int8"] as const;

/**
 * Models that peers handed over, files that are named by their digests: `<64 digits>.safetensors`, and where they travelled
 * packed, `<64 digits>.int8`.
 */
export class ModelFolder {
  readonly #folder: string;
  readonly #layout: Genesis["layout"];
  readonly #sound = new Set<Hex>();
  readonly #held = new Map<Hex, Float32Array>();
  readonly #dots = new Map<Hex, Map<Hex, number>>();
  #bytes = 0;

  private constructor(folder: string, { layout }: Genesis) {
    this.#folder = folder;
    this.#layout = layout;
  }

  /** Looks at the files of these models; one that is missing, has another digest or is of another form does not count. */
  static async open(
    folder: string,
    genesis: Genesis,
    models: Iterable<Hex>,
    { signal }: Abortable,
  ): Promise<ModelFolder> {
    const opened = new ModelFolder(folder, genesis);
    for (const model of new Set(models)) {
      signal.throwIfAborted();
      const file = await readFile(pathOf(folder, model)).catch(() => undefined);
      if (file === undefined || toHex(createHash("sha256").update(file).digest()) !== model) continue;
      if (modelWeights(file, opened.#layout) !== undefined) opened.#sound.add(model);
    }
    return opened;
  }

  has(model: Hex): boolean {
    return this.#sound.has(model);
  }

  /** Inner product of two models' weights. */
  dot(a: Hex, b: Hex): number {
    const [one, other] = a < b ? [a, b] : [b, a];
    const known = this.#dots.get(one) ?? new Map<Hex, number>();
    this.#dots.set(one, known);
    let sum = known.get(other);
    if (sum === undefined) {
      const [left, right] = [this.#weightsOf(one), this.#weightsOf(other)];
      sum = 0;
      for (let i = 0; i < left.length; i++) sum += left[i]! * right[i]!;
      known.set(other, sum);
    }
    return sum;
  }

  /** The sum of models by their factors, as a safetensors file. */
  fileOf(mix: Mix): Uint8Array {
    const sum = new Float64Array(sizeOf(this.#layout));
    for (const [model, factor] of mix) {
      const weights = this.#weightsOf(model);
      for (let i = 0; i < sum.length; i++) sum[i]! += factor * weights[i]!;
    }
    return modelFile(this.#layout, sum);
  }

  #weightsOf(model: Hex): Float32Array {
    const held = this.#held.get(model);
    if (held !== undefined) return held;
    const weights = modelWeights(readFileSync(pathOf(this.#folder, model)), this.#layout)!;
    this.#held.set(model, weights);
    this.#bytes += weights.byteLength;
    for (const [oldest, { byteLength }] of this.#held) {
      if (this.#bytes <= MOST_HELD || oldest === model) break;
      this.#held.delete(oldest);
      this.#bytes -= byteLength;
    }
    return weights;
  }
}

/** Of a model's file that is there; of the first form where none is. */
function pathOf(folder: string, model: Hex): string {
  const paths = ENDS.map((end) => join(folder, `${model.slice(2)}${end}`));
  return paths.find((path) => existsSync(path)) ?? paths[0]!;
}
