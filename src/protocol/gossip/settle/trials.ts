import type { Address, Hex } from "../../ids.ts";
import type { ConfirmedModel } from "./counted.ts";
import { type Source, sourceOf } from "./sources.ts";

/** Models with their factors, which make 1: a model to be measured is their sum. */
export type Mix = ReadonlyMap<Hex, number>;

/** A span of time: what its peers' training made of the models before it, and what it would be without each of them. */
export interface Trial {
  readonly span: number;
  readonly all: Mix;
  readonly without: ReadonlyMap<Address, Mix>;
}

/** Earlier models that a model may have been made of, the newest. */
const MOST_EARLIER = 64;
/**
 * A model further from its source than this many times what three quarters of its span's models are was not trained from
 * there. Three quarters, because a model that was not trained at all is next to its source.
 */
const FAR = 5;

/**
 * What is to be measured to tell what each peer's training gave. A model's source is the nearest mixture of what its peer
 * had: others' models of the span before it, and its own last one. What lies between source and model is the peer's
 * training, whatever it averaged: nothing for a model that was taken from others or sent again. Of each span these are
 * added up by peer, and their mean is added to the mean of the models before. The first span has none before it.
 */
export function planTrials(
  counted: readonly ConfirmedModel[],
  { from, span, dot }: { from: number; span: number; dot: (a: Hex, b: Hex) => number },
): readonly Trial[] {
  const spanOf = ({ seenAt }: ConfirmedModel) => Math.floor((seenAt - from) / span);
  const spans = Map.groupBy(counted, spanOf);
  return [...spans].flatMap(([at, models]): Trial[] => {
    const before = new Map((spans.get(at - 1) ?? []).map((one) => [one.generator, one.model]));
    if (before.size === 0 || at < 0) return [];
    const trained = models.flatMap((one) => {
      const earlier = earlierThan(one, counted, span);
      return earlier.length === 0 ? [] : [{ ...one, source: sourceOf(one.model, earlier, dot) }];
    });
    const most = FAR * upperQuartile(trained.map(({ source }) => source.distance));
    const near = trained.filter(({ source }) => source.distance <= most);
    const peers = Map.groupBy(near, ({ generator }) => generator);
    const base = [...before.values()].map((model) => [model, 1 / before.size] as const);
    const mixOf = (taken: typeof near) => mix(base, taken, 1 / peers.size);
    const without = [...peers.keys()].map((account) => {
      return [account, mixOf(near.filter(({ generator }) => generator !== account))] as const;
    });
    return near.length === 0 ? [] : [{ span: at, all: mixOf(near), without: new Map(without) }];
  });
}

/** All that is to be measured, by names of at most 64 characters. */
export function mixesOf(trials: readonly Trial[]): ReadonlyMap<string, Mix> {
  return new Map(
    trials.flatMap(({ span, all, without }) => [
      [`span-${span}`, all] as const,
      ...[...without].map(([account, mix]) => [`span-${span}-${account.slice(2)}`, mix] as const),
    ]),
  );
}

/** What a model may have been made of: its peer's own last one, and others' of the span before it. */
export function earlierThan(
  one: ConfirmedModel,
  counted: readonly ConfirmedModel[],
  span: number,
): readonly Hex[] {
  const before = counted.filter(({ seenAt }) => seenAt <= one.seenAt);
  const own = before.findLast((other) => other.generator === one.generator && other.seenAt < one.seenAt);
  const others = before
    .filter((other) => other.generator !== one.generator && other.seenAt > one.seenAt - span)
    .slice(-MOST_EARLIER);
  return [...(own === undefined ? [] : [own]), ...others].map(({ model }) => model);
}

/** base + share · Σ (model − its source). */
function mix(
  base: readonly (readonly [Hex, number])[],
  trained: readonly { readonly model: Hex; readonly source: Source }[],
  share: number,
): Mix {
  const factors = new Map<Hex, number>(base);
  const add = (model: Hex, factor: number) => factors.set(model, (factors.get(model) ?? 0) + factor);
  for (const { model, source } of trained) {
    add(model, share);
    for (const [other, part] of source.shares) add(other, -share * part);
  }
  return factors;
}

/** Of two, the larger: they cannot tell which of them is odd. */
function upperQuartile(values: readonly number[]): number {
  const last = values.length - 1;
  return values.toSorted((a, b) => a - b)[last < 2 ? last : Math.floor((3 * last) / 4)] ?? 0;
}
