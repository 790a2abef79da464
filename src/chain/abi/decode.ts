import { EventFragment } from "ethers";
import { IchainError } from "../../errors/error.ts";
import { fromHex } from "../../protocol/bytes.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import { causes, type JobEvent } from "../../protocol/job/events.ts";
import { jobIdOf } from "../../protocol/job/job-id.ts";
import { type PackedTerms, unpackTerms } from "../../protocol/job/packed-terms.ts";
import { verdicts } from "../../protocol/job/state.ts";
import { artifactOf } from "./artifacts.ts";
import { type Values, valuesReader } from "./values.ts";

/** A log of one of the market's contracts, as the node gave it. */
export interface RawLog {
  readonly block: number;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

/** Twice the contract's own bound; a longer log is not the contract's. */
export const MAX_LOG_BYTES = 8 * 1024;
const MAX_REASON_CHARS = 256;

/**
 * The escrow's event in `log`; undefined when ichain does not know it, or when the terms do not hash to the job's id,
 * so that a node cannot make up a job.
 */
export function decodeJobEvent(log: RawLog, chainId: bigint, escrow: Address): JobEvent | undefined {
  if (log.data.length > 2 + 2 * MAX_LOG_BYTES) return undefined;
  try {
    const parsed = parse(log);
    if (parsed === undefined) return undefined;
    if (parsed.name !== "Posted") return decodeStep(parsed);
    const { jobId, terms: packed, seedTip, sealedLocator } = parsed.args;
    const terms = unpackTerms(packed as PackedTerms);
    const id = jobId as Hex;
    if (terms === undefined || jobIdOf(chainId, escrow, terms) !== id) return undefined;
    return { kind: "posted", id, terms, seedTip, sealed: sealedLocator, block: log.block };
  } catch (error) {
    // A log that does not decode is ignored; missing artifacts are the caller's problem.
    if (error instanceof IchainError) throw error;
    return undefined;
  }
}

interface Parsed {
  readonly name: string;
  readonly args: Values;
}

interface EventReader {
  readonly name: string;
  /** Of the topics after the first, and of the data. */
  readonly indexed: (data: Buffer) => Values;
  readonly plain: (data: Buffer) => Values;
}

/** By topic. */
let readers: ReadonlyMap<string, EventReader> | undefined;

function readersOf(): ReadonlyMap<string, EventReader> {
  const found = new Map<string, EventReader>();
  for (const one of artifactOf("JobEscrow").abi.fragments) {
    if (!(one instanceof EventFragment)) continue;
    const indexed = valuesReader(one.inputs.filter((input) => input.indexed));
    const plain = valuesReader(one.inputs.filter((input) => !input.indexed));
    found.set(one.topicHash, { name: one.name, indexed, plain });
  }
  return found;
}

function parse({ topics, data }: RawLog): Parsed | undefined {
  readers ??= readersOf();
  const [topic = "", ...rest] = topics;
  const reader = readers.get(topic);
  if (reader === undefined) return undefined;
  const indexed = Buffer.from(rest.map((one) => one.slice(2)).join(""), "hex");
  const args = { ...reader.indexed(indexed), ...reader.plain(Buffer.from(data.slice(2), "hex")) };
  return { name: reader.name, args };
}

function decodeStep(parsed: Parsed): JobEvent | undefined {
  const { args } = parsed;
  switch (parsed.name) {
    case "Accepted":
      return { kind: "accepted", deadline: Number(args.deadline) };
    case "Cancelled":
      return { kind: "cancelled" };
    case "Released":
      return { kind: "released", reason: readable(args.reason), sealedLog: args.sealedLog };
    case "Stopped":
      return { kind: "stopped", paid: args.paid };
    case "Submitted":
      return {
        kind: "submitted",
        resultRoot: args.resultRoot,
        measurementCommitment: args.measurementCommitment,
        keyCommitment: args.keyCommitment,
        seedTip: args.seedTip,
        deadline: Number(args.deadline),
        sealed: args.sealedLocator,
      };
    case "Claimed":
      return { kind: "claimed", blindedKey: args.blindedKey, deadline: Number(args.deadline) };
    case "Settled":
      return { kind: "settled" };
    case "Refunded": {
      const cause = causes[Number(args.cause)];
      return cause && { kind: "refunded", cause };
    }
    case "Rated": {
      const { rater, subject, score } = args;
      return { kind: "rated", rater, subject, score: Number(score) };
    }
    default:
      return decodeValidation(parsed);
  }
}

function decodeValidation({ name, args }: Parsed): JobEvent | undefined {
  switch (name) {
    case "Appointed":
      return {
        kind: "appointed",
        validator: args.validator,
        drawn: args.drawn,
        deadline: Number(args.deadline),
        sealed: args.sealedLocator,
      };
    case "HandedOver":
      return {
        kind: "handedOver",
        validator: args.validator,
        sender: args.sender,
        sealed: args.sealedLocator,
      };
    case "DrawScheduled":
      return { kind: "drawScheduled", seats: Number(args.seats), deadline: Number(args.deadline) };
    case "SeedRevealed":
      return { kind: "seedRevealed", deadline: Number(args.deadline) };
    case "Drawn":
      return { kind: "drawn", pending: Number(args.pending), deadline: Number(args.deadline) };
    case "Committed":
      return { kind: "committed", commitment: args.commitment, ...seat(args) };
    case "Abstained":
      return { kind: "abstained", reason: readable(args.reason), ...seat(args) };
    case "Dismissed":
      return { kind: "dismissed", ...seat(args) };
    case "Revealed": {
      const { author, digest, score, salt } = args;
      return { kind: "revealed", author, measurement: { digest, score, salt } };
    }
    case "Judged": {
      const verdict = verdicts[Number(args.verdict)];
      return verdict && { kind: "judged", verdict, deadline: Number(args.deadline) };
    }
    case "Challenged":
      return { kind: "challenged" };
    case "Appealed":
      return { kind: "appealed" };
    default:
      return undefined;
  }
}

function seat(args: Values): { validator: Address; pending: number; deadline: number } {
  return {
    validator: args.validator,
    pending: Number(args.pending),
    deadline: Number(args.deadline),
  };
}

/** Text of another party, which may not be UTF-8, without the control characters that a terminal obeys. */
function readable(bytes: string): string {
  const text = new TextDecoder().decode(fromHex(bytes as Hex));
  return text.slice(0, MAX_REASON_CHARS).replace(/\p{C}+/gu, " ");
}
