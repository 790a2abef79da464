import { log } from "../elementary.ts";

/** Orders that are tried: 1 + 2^-10 · 1.05^k. Any order gives a bound; a finer grid gains less than a thousandth. */
const [LEAST_ORDER, STEP, ORDERS] = [2 ** -10, 1.05, 512];

/**
 * ε at `delta` of `rounds` Gaussian mechanisms that may each depend on those before. `ratio` is the noise's deviation over
 * the sensitivity (the L2 distance of what two neighbours would send). Their Rényi divergence of order α is
 * rounds · α / (2 ratio²) (Mironov 2017, "Rényi Differential Privacy", proposition 7 and corollary 3), which is
 * converted by proposition 12 of Canonne, Kamath and Steinke 2020 ("The Discrete Gaussian for Differential Privacy"):
 * ε = ρ + ln((α-1)/α) - (ln δ + ln α)/(α-1), least over α. That is some 4 to 20 % above the exact value of Balle
 * and Wang 2018. Infinite without noise.
 */
export function epsilonOf({
  ratio,
  rounds,
  delta,
}: {
  readonly ratio: number;
  readonly rounds: number;
  readonly delta: number;
}): number {
  if (rounds === 0) return 0;
  if (ratio === 0) return Number.POSITIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0, above = LEAST_ORDER; k < ORDERS; k++, above *= STEP) {
    const order = 1 + above;
    const divergence = (rounds * order) / (2 * ratio * ratio);
    const epsilon = divergence + log(above / order) - (log(delta) + log(order)) / above;
    least = Math.min(least, epsilon);
  }
  return Math.max(0, least);
}
