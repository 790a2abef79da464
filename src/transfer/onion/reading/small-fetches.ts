import type { Hex } from "../../../protocol/ids.ts";
import { FEED_PART_BYTES } from "../../../protocol/limits.ts";
import type { Endpoint } from "../../../protocol/parcel/locator.ts";
import { badAnswer, forbidden, hostUnreachable, notHosted } from "../../pieces/errors.ts";
import { authorization, CAPSULE_MAX_BYTES, capsulePath, dataPath, partPath } from "../../pieces/wire.ts";
import type { OnionReader } from "./reader.ts";
import { type SmallAnswer, smallRequest } from "./small-request.ts";

interface Asked {
  readonly reader: OnionReader;
  readonly endpoint: Endpoint;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds for one small answer, circuits included. */
const ANSWER_MS = 60_000;

/**
 * The capsule of that reader (at most 1 KiB), or undefined while the host has not published it. A host
 * that moved since our last visit is looked up afresh.
 */
export async function fetchOnionCapsule(
  asked: Asked & { readonly root: Hex; readonly fingerprint: Hex },
): Promise<Uint8Array | undefined> {
  return askOrUndefined(asked, capsulePath(asked.root, asked.fingerprint), CAPSULE_MAX_BYTES);
}

/** The same for a part of a feed, at most `FEED_PART_BYTES`. */
export async function fetchOnionPart(
  asked: Asked & { readonly id: Hex; readonly from: number },
): Promise<Uint8Array | undefined> {
  return askOrUndefined(asked, partPath(asked.id, asked.from), FEED_PART_BYTES);
}

async function askOrUndefined(asked: Asked, path: string, most: number): Promise<Uint8Array | undefined> {
  const answer = await ask(asked, path, {}, most + 1).catch(async () => {
    await asked.reader.doubt(asked.endpoint.address, { signal: asked.signal });
    return ask(asked, path, {}, most + 1);
  });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw refused(answer.status);
  if (answer.body.length > most) throw badAnswer("its body is longer than allowed");
  return answer.body;
}

/** Resolves once a blob's first byte came; throws when the host is up and does not serve it. */
export async function fetchOnionFirstByte(asked: Asked & { readonly root: Hex }): Promise<void> {
  const { status, body } = await ask(asked, dataPath(asked.root), { range: "bytes=0-0" }, 1);
  if (status !== 206 || body.length !== 1) throw refused(status);
}

/** Resolves once the host answered, whatever it said: for one that serves no blob. */
export async function fetchOnionAnswer(asked: Asked): Promise<void> {
  await ask(asked, "/", {}, 1);
}

async function ask(
  { reader, endpoint, timeoutMs = ANSWER_MS, signal }: Asked,
  path: string,
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
): Promise<SmallAnswer> {
  const socks = await reader.open(endpoint.address, { signal });
  const url = `http://${endpoint.address}.onion${path}`;
  const all = { authorization: authorization(endpoint.token), ...headers };
  try {
    return await smallRequest({ socks, url, headers: all, maxBytes, timeoutMs, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw hostUnreachable(error);
  }
}

function refused(status: number) {
  if (status === 403) return forbidden();
  if (status === 404) return notHosted();
  return badAnswer("its status is not one of the protocol's");
}
