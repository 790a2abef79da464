import { createHash } from "node:crypto";
import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { z } from "zod";
import { toHex } from "../../protocol/bytes.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { InputFile } from "./input/walk.ts";

/**
 * The file that an interrupted `pack` leaves beside the blob: a first line that identifies its inputs, then one line for
 * each checkpoint whose ciphertext is durable. It contains the session key: mode 0600.
 */

const headSchema = z.strictObject({ version: z.literal(1), inputs: z.string(), sessionKey: z.string() });
const lineSchema = z.strictObject({
  slices: z.number().int().positive(),
  bytes: z.number().int().positive(),
  /** Leaf hashes of pieces completed since the line before, base64. */
  leaves: z.array(z.string().length(44)),
  /** Hashes of input files read since the line before: [index, hash]. */
  hashes: z.array(z.tuple([z.number().int().nonnegative(), z.string().regex(/^0x[0-9a-f]{64}$/)])),
});

export interface ResumePoint {
  /** Slices whose messages are in the blob. */
  readonly slices: number;
  /** Bytes of those messages. */
  readonly bytes: number;
  readonly leaves: readonly Uint8Array[];
  readonly hashes: readonly (Hex | undefined)[];
}

const NOTHING: ResumePoint = { slices: 0, bytes: 0, leaves: [], hashes: [] };

export class ResumeLog {
  readonly sessionKey: Hex;
  readonly #file: FileHandle;
  readonly #path: string;
  #last: ResumePoint;

  private constructor(path: string, file: FileHandle, sessionKey: Hex, last: ResumePoint) {
    this.#path = path;
    this.#file = file;
    this.sessionKey = sessionKey;
    this.#last = last;
  }

  /**
   * Continues the log at `path` if it is of the same files and key; starts a new one otherwise. `wanted`: the session
   * key, drawn by `fresh` when undefined.
   */
  static async open(path: string, files: readonly InputFile[], wanted: Hex | undefined, fresh: () => Hex) {
    const inputs = inputsDigest(files);
    const found = await readLog(path);
    if (found && found.inputs === inputs && (wanted === undefined || wanted === found.sessionKey)) {
      return new ResumeLog(path, await open(path, "a", 0o600), found.sessionKey, found.last);
    }
    await rm(path, { force: true });
    const sessionKey = wanted ?? fresh();
    const file = await open(path, "ax", 0o600);
    await file.appendFile(`${JSON.stringify({ version: 1, inputs, sessionKey })}\n`);
    return new ResumeLog(path, file, sessionKey, NOTHING);
  }

  get last(): ResumePoint {
    return this.#last;
  }

  /** Drops the checkpoints, whose ciphertext is missing. */
  async restart(): Promise<void> {
    const [head] = (await readFile(this.#path, "utf8")).split("\n", 1);
    await this.#file.truncate(0);
    await this.#file.appendFile(`${head}\n`);
    this.#last = NOTHING;
  }

  /** Adds a checkpoint. Call it once the first `point.bytes` of the blob are durable. */
  async append(point: ResumePoint): Promise<void> {
    const line = {
      slices: point.slices,
      bytes: point.bytes,
      leaves: point.leaves
        .slice(this.#last.leaves.length)
        .map((leaf) => Buffer.from(leaf).toString("base64")),
      hashes: point.hashes.flatMap((hash, i) => (hash && !this.#last.hashes[i] ? [[i, hash]] : [])),
    };
    await this.#file.appendFile(`${JSON.stringify(line)}\n`);
    this.#last = { ...point, leaves: [...point.leaves], hashes: [...point.hashes] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

function inputsDigest(files: readonly InputFile[]): Hex {
  return toHex(
    createHash("sha256")
      .update(JSON.stringify(files.map((file) => [file.path, file.stamp])))
      .digest(),
  );
}

async function readLog(
  path: string,
): Promise<{ inputs: string; sessionKey: Hex; last: ResumePoint } | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split("\n").slice(0, -1); // after the last line feed there is only a line that a crash cut off
  const head = headSchema.safeParse(parseLine(lines[0]));
  if (!head.success) return undefined;
  const leaves: Uint8Array[] = [];
  const hashes: (Hex | undefined)[] = [];
  let last = NOTHING;
  for (const text of lines.slice(1)) {
    const line = lineSchema.safeParse(parseLine(text));
    if (!line.success) break;
    leaves.push(...line.data.leaves.map((leaf) => Buffer.from(leaf, "base64")));
    for (const [i, hash] of line.data.hashes) hashes[i] = hash as Hex;
    last = { slices: line.data.slices, bytes: line.data.bytes, leaves: [...leaves], hashes: [...hashes] };
  }
  return { inputs: head.data.inputs, sessionKey: head.data.sessionKey as Hex, last };
}

function parseLine(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? "");
  } catch {
    return undefined;
  }
}
