import { IchainError } from "../../../errors/error.ts";
import { PIECE_BYTES } from "../../../protocol/limits.ts";
import { type BlobData, readExactly } from "../blob-reader.ts";
import { SLICE_BYTES } from "../format/archive.ts";
import { inflate, MAX_FRAME, notAsDeclared } from "../format/frames.ts";
import { CompatOpener } from "./open.ts";
import { PART_OCTET } from "./partial.ts";

/** True when the data is in the compatibility profile: one packet in parts, or one whole packet of version 1. */
export async function isCompatible({ blob, end }: BlobData): Promise<boolean> {
  if (end < 7) return false;
  const start = await readExactly(blob, 0, 7);
  return start[1] === PART_OCTET || start[6] === 1;
}

/**
 * The slices of the archive, in order.
 * @throws PARCEL_COMPATIBILITY unless `wanted`; PARCEL_MALFORMED, PARCEL_CORRUPT; the file system's error
 */
export async function* readCompatible(data: BlobData, wanted: boolean): AsyncGenerator<Uint8Array> {
  if (!wanted) throw notWanted();
  const opener = new CompatOpener(data.sessionKey);
  let frames = Buffer.alloc(0);
  let at = 0;
  for (let done = 0; done < data.total; ) {
    while (frames.length < MAX_FRAME && at < data.end) {
      const piece = await readExactly(data.blob, at, Math.min(PIECE_BYTES, data.end - at));
      frames = Buffer.concat([frames, ...opener.push(piece)]);
      at += piece.length;
      await data.leaves.update([piece]);
    }
    const length = Math.min(SLICE_BYTES, data.total - done);
    const { slice, used } = await inflate(frames, length);
    frames = frames.subarray(used);
    yield slice;
    done += length;
  }
  if (frames.length > 0 || at < data.end) throw notAsDeclared();
  opener.end();
}

function notWanted(): IchainError {
  return new IchainError(
    "PARCEL_COMPATIBILITY",
    "The parcel is in the compatibility profile for GnuPG, which was not asked for.",
  );
}
