import type { Hex } from "../../../protocol/ids.ts";
import { FEED_PART_BYTES } from "../../../protocol/limits.ts";
import type { Endpoint } from "../../../protocol/parcel/locator.ts";
import { badAnswer, forbidden, hostUnreachable, notHosted } from "../../pieces/errors.ts";
import {
  authorization,
  CAPSULE_MAX_BYTES,
  capsulePath,
  dataPath,
  noticePath,
  partPath,
} from "../../pieces/wire.ts";
import type { OnionReader } from "./reader.ts";
import { type SmallAnswer, smallRequest } from "./small-request.ts";

interface OnionRequest {
  readonly reader: OnionReader;
  readonly endpoint: Endpoint;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds for one answer, building circuits included. */
const ANSWER_MS = 60_000;

/**
 * The capsule of that reader (at most 1 KiB), or undefined while the host has not published it. After a failed request
 * the host is looked up again and asked once more: it may have other introduction points since the last request.
 * @throws TRANSFER_UNREACHABLE, TRANSFER_FORBIDDEN, TRANSFER_BAD_ANSWER; TOR_GONE; the signal's reason
 */
export async function fetchOnionCapsule(
  request: OnionRequest & { readonly root: Hex; readonly fingerprint: Hex },
): Promise<Uint8Array | undefined> {
  return fetchIfPresent(request, capsulePath(request.root, request.fingerprint), CAPSULE_MAX_BYTES);
}

/** As `fetchOnionCapsule`, for a part of a feed: at most `FEED_PART_BYTES`. */
export async function fetchOnionPart(
  request: OnionRequest & { readonly id: Hex; readonly from: number },
): Promise<Uint8Array | undefined> {
  return fetchIfPresent(request, partPath(request.id, request.from), FEED_PART_BYTES);
}

async function fetchIfPresent(
  request: OnionRequest,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const answer = await ask(request, path, {}, maxBytes + 1).catch(async () => {
    await request.reader.forgetFor(request.endpoint.address, { signal: request.signal });
    return ask(request, path, {}, maxBytes + 1);
  });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw refused(answer.status);
  if (answer.body.length > maxBytes) throw badAnswer("its body is longer than allowed");
  return answer.body;
}

/**
 * Resolves once a blob's first byte has been received.
 * @throws TRANSFER_UNREACHABLE, TRANSFER_FORBIDDEN, TRANSFER_NOT_HOSTED, TRANSFER_BAD_ANSWER; the signal's reason
 */
export async function fetchOnionFirstByte(request: OnionRequest & { readonly root: Hex }): Promise<void> {
  const { status, body } = await ask(request, dataPath(request.root), { range: "bytes=0-0" }, 1);
  if (status !== 206 || body.length !== 1) throw refused(status);
}

/**
 * Leaves a notice with the host of `root`.
 * @throws as `fetchOnionFirstByte`
 */
export async function sendOnionNotice(
  request: OnionRequest & { readonly root: Hex; readonly notice: Uint8Array },
): Promise<void> {
  const { status } = await ask(request, noticePath(request.root), {}, 1, request.notice);
  if (status !== 200) throw refused(status);
}

/** Resolves once the host has answered with any status: a probe of a host without blobs. */
export async function fetchOnionAnswer(request: OnionRequest): Promise<void> {
  await ask(request, "/", {}, 1);
}

async function ask(
  { reader, endpoint, timeoutMs = ANSWER_MS, signal }: OnionRequest,
  path: string,
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
  body?: Uint8Array,
): Promise<SmallAnswer> {
  const socks = await reader.open(endpoint.address, { guestKey: endpoint.guestKey, signal });
  const url = `http://${endpoint.address}.onion${path}`;
  const all = { authorization: authorization(endpoint.token), ...headers };
  try {
    return await smallRequest({ socks, url, headers: all, body, maxBytes, timeoutMs, signal });
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
