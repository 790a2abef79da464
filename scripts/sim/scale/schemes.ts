import { HEADER_BYTES } from "../../../src/protocol/federated/codec/header.ts";
import { int8BodyBytes } from "../../../src/protocol/federated/codec/int8.ts";
import { topkOffset } from "../../../src/protocol/federated/codec/topk.ts";

/** A way to run a round. */
export interface Scheme {
  readonly name: string;
  /** Parameters that are trained, aggregated and sent, of those of the model. */
  readonly part: number;
  /** Bytes of an update of `length` values. */
  up(length: number): number;
  /** Values of an update, where they are not one for each parameter that is trained. */
  readonly values?: number;
  /** Who sends the model down: the lead to each, or each provider to the next as well. */
  readonly down: "lead" | "passed on";
  /** Share of the providers that take part in a round. */
  readonly sample: number;
}

const int8 = (length: number): number => HEADER_BYTES + int8BodyBytes(length);
const topk =
  (keep: number) =>
  (length: number): number =>
    HEADER_BYTES + topkOffset(length, keep, Number.POSITIVE_INFINITY);
const whole = { part: 1, down: "lead", sample: 1 } as const;

export const schemes: readonly Scheme[] = [
  { ...whole, name: "int8", up: int8 },
  { ...whole, name: "top 3 %", up: topk(30) },
  { ...whole, name: "top 3 %, model passed on", up: topk(30), down: "passed on" },
  // Of 10,000 public rows in 1,000 classes.
  { ...whole, name: "scores (distillation), passed on", up: int8, values: 1e7, down: "passed on" },
  { ...whole, name: "top 3 %, passed on, a tenth a round", up: topk(30), down: "passed on", sample: 0.1 },
  { ...whole, name: "adapters of 1 %, int8", up: int8, part: 0.01 },
  { ...whole, name: "adapters of 1 %, int8, passed on", up: int8, part: 0.01, down: "passed on" },
];
