import { IchainError } from "../../../errors/error.ts";
import type { Address, Hex } from "../../ids.ts";
import type { Ledger, LedgerRound } from "./ledger.ts";
import type { RoundMember } from "./record.ts";

/** An update that is in a model. */
export interface TracedPart {
  readonly provider: Address;
  readonly update: Hex;
  /** Digest of the data that it was trained on. */
  readonly data: Hex;
  readonly weight: number;
  /** Millionths. */
  readonly accuracy: number;
  readonly audit: RoundMember["audit"];
  readonly location: Hex;
  /** Unix seconds; 0 in a simulation. */
  readonly finishedAt: number;
  readonly seconds: number;
}

/** A model and what it was made from. */
export interface TracedModel {
  readonly model: Hex;
  readonly round: number;
  readonly parent: Hex;
  readonly lead: Address;
  readonly strategy: string;
  readonly location: Hex;
  readonly finishedAt: number;
  readonly seconds: number;
  readonly parts: readonly TracedPart[];
}

/**
 * A model's ancestors, from it back to the start: who made each of them, from whose updates and from which data.
 * @param model Digest or its beginning, at least 8 digits; absent: the newest.
 * @throws LEDGER_NO_MODEL
 */
export function traceModel({ rounds, header }: Ledger, model?: string): TracedModel[] {
  const wanted = model?.toLowerCase().replace(/^(0x)?/, "0x") ?? rounds.at(-1)?.aggregation.model;
  if (wanted === header.start || wanted === undefined) return [];
  const found = rounds.filter(({ aggregation }) => aggregation.model.startsWith(wanted));
  // A round that changes nothing repeats a digest; the first is where it was made.
  const first = found[0];
  const unclear = new Set(found.map(({ aggregation }) => aggregation.model)).size > 1;
  if (first === undefined || wanted.length < 10 || unclear) {
    throw new IchainError(
      "LEDGER_NO_MODEL",
      unclear || wanted.length < 10
        ? `More than one model may begin with ${wanted}.`
        : `No round of this ledger made the model ${wanted}.`,
    );
  }
  return rounds.slice(0, first.aggregation.round).toReversed().map(traced);
}

function traced({ aggregation, members, uploads }: LedgerRound): TracedModel {
  const { model, round, parent, lead, strategy, location, finishedAt, seconds } = aggregation;
  const parts = members.flatMap(({ provider, weight, accuracy, audit }) => {
    const upload = uploads.find((one) => one.provider === provider);
    if (weight === 0 || upload === undefined) return [];
    const { update, data, location, finishedAt, seconds } = upload;
    return [{ provider, update, data, weight, accuracy, audit, location, finishedAt, seconds }];
  });
  return { model, round, parent, lead, strategy, location, finishedAt, seconds, parts };
}
