import { concat, dataLength, dataSlice, keccak256, toBeHex } from "ethers";
import { IchainError } from "../../errors/error.ts";
import { fromHex, toHex } from "../bytes.ts";
import type { Hex } from "../ids.ts";
import { MAX_LOCATOR_BYTES } from "../limits.ts";

/** A host's address and a token for it; sent sealed only. */
export interface Endpoint {
  readonly transport: "onion" | "direct";
  /** 56 base32 characters without `.onion`, or `host:port` for `direct`. */
  readonly address: string;
  /** 16 random bytes: the bearer token. */
  readonly token: Hex;
  /** Opens an onion's address in place of the reader's own key (`guestKey`); derived, never sent. 32 bytes. */
  readonly guestKey?: Hex | undefined;
}

/**
 * The token of a reader, derived from the host's token and the reader's fingerprint, so that a host can tell readers
 * apart and refuse one. A reader derives tokens for further readers from its own in the same way. 16 bytes.
 */
export function tokenFor(token: Hex, ...readers: readonly Hex[]): Hex {
  return readers.reduce((last, reader) => dataSlice(keccak256(concat([last, reader])), 0, 16) as Hex, token);
}

/** The endpoint with the token of that reader. */
export function endpointFor(endpoint: Endpoint, ...readers: readonly Hex[]): Endpoint {
  return { ...endpoint, token: tokenFor(endpoint.token, ...readers) };
}

/** Requester → provider, in `post`. */
export interface BundleLocator {
  readonly kind: "bundle";
  readonly bundle: Endpoint;
  /** Size of the encrypted bundle; readers choose their number of lanes by it. */
  readonly bundleBytes: number;
  readonly bundleKey: Hex;
  readonly mask: Hex;
}

/** Provider → requester, in `submit`. The result's root is public; its key comes with `claim`. */
export interface ResultLocator {
  readonly kind: "result";
  readonly result: Endpoint;
  /** Of the encrypted result. */
  readonly resultBytes: number;
  readonly reportRoot: Hex;
  /** See `reportKey` in exchange.ts. */
  readonly reportShare: Hex;
}

/** Provider → requester, in `submit` of a run that failed. What is delivered is the run report, which is not paid for. */
export interface FailureLocator {
  readonly kind: "failure";
  readonly result: Endpoint;
  /** Of the encrypted run report. */
  readonly resultBytes: number;
  readonly reportKey: Hex;
}

/** Requester (or provider, for a drawn validator) → validator, in `appoint`. */
export interface ValidationLocator {
  readonly kind: "validation";
  readonly bundle: Endpoint;
  readonly bundleBytes: number;
  readonly bundleKey: Hex;
  readonly mask: Hex;
  readonly result: Endpoint;
  readonly resultBytes: number;
  readonly reportRoot: Hex;
  /** In the mode `exam`, from the requester. */
  readonly exam?: ExamPlace | undefined;
}

/** Where a validator finds the exam. */
export interface ExamPlace {
  readonly endpoint: Endpoint;
  /** Of the encrypted exam; the spec names it too. */
  readonly root: Hex;
  readonly key: Hex;
}

/** Requester → drawn validator, in `handover`. */
export interface ExamLocator extends ExamPlace {
  readonly kind: "exam";
}

/** Of rows of a data campaign, in `add` and `reveal`; public, and so is its token. */
export interface RowsLocator {
  readonly kind: "rows";
  readonly rows: Endpoint;
  /** Of the blob, which is no parcel: the rows as they are. */
  readonly rowsRoot: Hex;
  readonly rowsBytes: number;
}

/** Of rows of a data campaign that are public already, in `add`: any gateway or node that has the file. */
export interface ContentLocator {
  readonly kind: "content";
  /** Version 1, base 32. */
  readonly cid: string;
}

/** Of a version's model, in `publish`; public, and so are its token and its key. */
export interface ModelLocator {
  readonly kind: "model";
  readonly model: Endpoint;
  /** Of the parcel, and its size. */
  readonly modelRoot: Hex;
  readonly modelBytes: number;
  readonly modelKey: Hex;
}

export type Locator =
  | BundleLocator
  | ResultLocator
  | ValidationLocator
  | ExamLocator
  | FailureLocator
  | RowsLocator
  | ContentLocator
  | ModelLocator;

const KINDS = ["bundle", "result", "validation", "exam", "failure", "rows", "content", "model"] as const;
const TRANSPORTS = ["onion", "direct"] as const;
const VERSION = 1;

/** Width of a blob's size. */
const SIZE_BYTES = 6;

/** Bytes, not JSON, because each byte on the chain costs gas: version ‖ kind ‖ its fields in order; an address is length-prefixed. */
export function encodeLocator(locator: Locator): Uint8Array {
  const head = concat([toBeHex(VERSION, 1), toBeHex(KINDS.indexOf(locator.kind), 1)]);
  return fromHex(concat([head, ...parts(locator)]) as Hex);
}

function parts(locator: Locator): Hex[] {
  switch (locator.kind) {
    case "bundle":
      return [...bundleParts(locator)];
    case "result":
      return [...resultParts(locator), locator.reportShare];
    case "validation":
      return [
        ...bundleParts(locator),
        ...resultParts(locator),
        ...(locator.exam ? examParts(locator.exam) : []),
      ];
    case "exam":
      return examParts(locator);
    case "failure":
      return [endpoint(locator.result), size(locator.resultBytes), locator.reportKey];
    case "rows":
      return [endpoint(locator.rows), locator.rowsRoot, size(locator.rowsBytes)];
    case "content":
      return prefixed(locator.cid);
    case "model":
      return [endpoint(locator.model), locator.modelRoot, size(locator.modelBytes), locator.modelKey];
  }
}

const examParts = (exam: ExamPlace): Hex[] => [endpoint(exam.endpoint), exam.root, exam.key];

const bundleParts = ({ bundle, bundleBytes, bundleKey, mask }: Omit<BundleLocator, "kind">): Hex[] => [
  endpoint(bundle),
  size(bundleBytes),
  bundleKey,
  mask,
];

const resultParts = ({
  result,
  resultBytes,
  reportRoot,
}: Pick<ResultLocator, "result" | "resultBytes" | "reportRoot">): Hex[] => [
  endpoint(result),
  size(resultBytes),
  reportRoot,
];

/**
 * Decodes exactly one locator of one of these kinds.
 * @throws LOCATOR_MALFORMED
 */
export function decodeLocator<K extends Locator["kind"]>(
  bytes: Uint8Array,
  ...kinds: readonly K[]
): Extract<Locator, { kind: K }> {
  if (bytes.length > MAX_LOCATOR_BYTES) throw malformed("it is too long");
  const read = reader(toHex(bytes));
  if (read.byte() !== VERSION) throw malformed("its version is not known here");
  const code = read.byte();
  const kind = kinds.find((one) => one === KINDS[code]);
  if (kind === undefined) throw malformed(`it is not a ${kinds.join(" or ")} locator`);
  const locator = fields(kind, read);
  read.end();
  return locator as Extract<Locator, { kind: K }>;
}

function fields(kind: Locator["kind"], read: ReturnType<typeof reader>): Locator {
  const bundle = () => ({
    bundle: read.endpoint(),
    bundleBytes: read.size(),
    bundleKey: read.take(32),
    mask: read.take(32),
  });
  const result = () => ({ result: read.endpoint(), resultBytes: read.size(), reportRoot: read.take(32) });
  const exam = () => ({ endpoint: read.endpoint(), root: read.take(32), key: read.take(32) });
  switch (kind) {
    case "bundle":
      return { kind, ...bundle() };
    case "result":
      return { kind, ...result(), reportShare: read.take(32) };
    case "validation": {
      const most = { kind, ...bundle(), ...result() };
      return read.done() ? most : { ...most, exam: exam() };
    }
    case "exam":
      return { kind, ...exam() };
    case "failure":
      return { kind, result: read.endpoint(), resultBytes: read.size(), reportKey: read.take(32) };
    case "rows":
      return { kind, rows: read.endpoint(), rowsRoot: read.take(32), rowsBytes: read.size() };
    case "content":
      return { kind, cid: read.cid() };
    case "model":
      return {
        ...{ kind, model: read.endpoint(), modelRoot: read.take(32) },
        ...{ modelBytes: read.size(), modelKey: read.take(32) },
      };
  }
}

const size = (bytes: number): Hex => toBeHex(bytes, SIZE_BYTES) as Hex;

function endpoint({ transport, address, token }: Endpoint): Hex {
  return concat([toBeHex(TRANSPORTS.indexOf(transport), 1), ...prefixed(address), token]) as Hex;
}

function prefixed(value: string): Hex[] {
  const text = toHex(new TextEncoder().encode(value));
  return [toBeHex(dataLength(text), 1) as Hex, text];
}

const CID = /^b[a-z2-7]{40,110}$/;
const ADDRESS = { onion: /^[a-z2-7]{56}$/, direct: /^[0-9A-Za-z.\-[\]:]{3,128}$/ };

function reader(data: Hex) {
  let at = 0;
  const take = (count: number): Hex => {
    if (at + count > dataLength(data)) throw malformed("it is too short");
    at += count;
    return dataSlice(data, at - count, at) as Hex;
  };
  const byte = () => Number(take(1));
  const text = () => new TextDecoder().decode(fromHex(take(byte())));
  return {
    take,
    byte,
    size: () => Number(take(SIZE_BYTES)),
    endpoint(): Endpoint {
      const transport = TRANSPORTS[byte()];
      if (transport === undefined) throw malformed("its transport is not known here");
      const address = text();
      if (!ADDRESS[transport].test(address)) throw malformed("its address is not one");
      return { transport, address, token: take(16) };
    },
    cid(): string {
      const cid = text();
      if (!CID.test(cid)) throw malformed("its content identifier is not one");
      return cid;
    },
    done: () => at === dataLength(data),
    end() {
      if (at !== dataLength(data)) throw malformed("it is too long");
    },
  };
}

/** What opens the address of a locator of rows, for everybody. 32 bytes. */
export function rowsGuestKey({ token }: Endpoint): Hex {
  return keccak256(concat([new TextEncoder().encode("ichain/rows"), token])) as Hex;
}

function malformed(why: string): IchainError {
  return new IchainError("LOCATOR_MALFORMED", `The sealed locator cannot be used: ${why}.`);
}
