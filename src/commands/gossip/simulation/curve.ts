import type { NetworkSample } from "../../../roles/gossip/simulation/simulate.ts";

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [720, 400, 56, 40, 24, 48];

/** An SVG of accuracy by time: a thin line a peer, and the honest peers' mean. */
export function drawAccuracy(samples: readonly NetworkSample[]): string {
  const last = samples.at(-1)!.tick;
  const x = (tick: number) => (LEFT + (tick / last) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (accuracy: number) => (HEIGHT - BOTTOM - accuracy * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const line = (of: (sample: NetworkSample) => number, look: string) =>
    `<polyline points="${samples.map((one) => `${x(one.tick)},${y(of(one))}`).join(" ")}" fill="none" ${look}/>`;
  const grid = [0, 0.2, 0.4, 0.6, 0.8, 1].flatMap((level) => [
    `<line x1="${LEFT}" y1="${y(level)}" x2="${WIDTH - RIGHT}" y2="${y(level)}" stroke="#ddd"/>`,
    `<text x="${LEFT - 8}" y="${y(level)}" dy="4" text-anchor="end">${level}</text>`,
  ]);
  const ticks = [0.25, 0.5, 0.75, 1].map((part) => {
    const tick = Math.round(part * last);
    return `<text x="${x(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tick}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24" font-size="15">Accuracy of each peer, and of the honest ones' mean, by tick</text>`,
    ...grid,
    ...ticks,
    ...samples[0]!.accuracies.map((_, peer) =>
      line(({ accuracies }) => accuracies[peer]!, 'stroke="#26c" stroke-opacity="0.3"'),
    ),
    line(({ accuracy }) => accuracy, 'stroke="#26c" stroke-width="2.5"'),
    "</svg>\n",
  ].join("\n");
}
