import { exp } from "../../../src/protocol/federated/elementary.ts";
import { Random } from "../../../src/roles/federated/data/random.ts";
import { figures, SEATS } from "./figures.ts";
import type { Scheme } from "./schemes.ts";

/** A round's parts in seconds, one after the other, and what it costs. */
export interface Played {
  /** Until the provider that completes the quorum has the model. */
  readonly down: number;
  readonly training: number;
  /** From there until each seat has the quorum's updates. */
  readonly up: number;
  readonly aggregate: number;
  readonly measure: number;
  readonly total: number;
  /** Bytes that a seat keeps until the round is closed. */
  readonly disk: number;
  /** Of what all of Tor's relays carry, during the round. */
  readonly ofTor: number;
}

const { provider, spread, seat, training, slowness, quorum, hops, tor, aggregate, writeModel, cores } =
  figures;

/** Plays one round: links and machines by chance, seats fetch what is ready, one update after the other. */
export function playScale(scheme: Scheme, providers: number, parameters: number, seed: number): Played {
  const random = new Random(`scale ${seed}`);
  const trained = Math.ceil(parameters * scheme.part);
  const values = scheme.values ?? trained;
  const [upBytes, downBytes] = [scheme.up(values), 4 * trained];
  const taking = Math.max(2, Math.round(providers * scheme.sample));
  const parties = Array.from({ length: taking }, () => ({
    link: provider.value * exp(spread.value * random.normal()),
    training: training.value * exp(slowness.value * random.normal()),
  }));
  const together = parties.reduce((sum, { link }) => sum + link, 0);
  // The model to all: by the lead's link alone, or by all links together, each of which also has to take it in.
  const spreading = (taking * downBytes) / (scheme.down === "lead" ? seat.value : seat.value + together);
  const ready = parties
    .map(({ link, training }) => {
      const down = Math.max(downBytes / link, spreading);
      return { down, training, arrived: down + training + (SEATS * upBytes) / link };
    })
    .sort((a, b) => a.arrived - b.arrived);
  const needed = Math.ceil(taking * quorum.value);
  let at = 0;
  for (const { arrived } of ready.slice(0, needed)) at = Math.max(at + upBytes / seat.value, arrived);
  const last = ready[needed - 1]!;
  const aggregated = (needed * aggregate.value * values + writeModel.value * trained) / cores.value;
  const measured = (needed * figures.rows.value * 2 * parameters) / figures.speed.value;
  const total = at + aggregated + measured;
  const carried = taking * downBytes + SEATS * needed * upBytes;
  return {
    down: last.down,
    training: last.training,
    up: at - last.down - last.training,
    aggregate: aggregated,
    measure: measured,
    total,
    disk: needed * upBytes,
    ofTor: (carried * hops.value) / (total * tor.value),
  };
}

/** The round of the middle total of eleven. */
export function medianRound(scheme: Scheme, providers: number, parameters: number): Played {
  const rounds = Array.from({ length: 11 }, (_, seed) => playScale(scheme, providers, parameters, seed));
  return rounds.sort((a, b) => a.total - b.total)[5]!;
}

/** Gas of a whole job with three seats. */
export function gasOf(providers: number, rounds: number): number {
  const { post, begin, enlist, seats, close, claim, release } = figures;
  const each = claim.value + release.value;
  const course = post.value + begin.value + seats.value + rounds * close.value;
  return course + providers * (enlist.value + each) + SEATS * each;
}
