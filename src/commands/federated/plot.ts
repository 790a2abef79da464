import type { RoundLine } from "./rounds.ts";

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [720, 400, 56, 40, 24, 48];

/** An SVG of accuracy over rounds, with a mark at each round in which a cheat was proven. */
export function drawCurve(title: string, rounds: readonly RoundLine[]): string {
  const last = Math.max(2, rounds.length);
  const x = (round: number) => round1(LEFT + ((round - 1) / (last - 1)) * (WIDTH - LEFT - RIGHT));
  const y = (accuracy: number) => round1(HEIGHT - BOTTOM - accuracy * (HEIGHT - TOP - BOTTOM));
  const points = rounds.map(({ round, accuracy }) => `${x(round)},${y(accuracy)}`).join(" ");
  const grid = [0, 0.2, 0.4, 0.6, 0.8, 1].flatMap((level) => [
    `<line x1="${LEFT}" y1="${y(level)}" x2="${WIDTH - RIGHT}" y2="${y(level)}" stroke="#ddd"/>`,
    `<text x="${LEFT - 8}" y="${y(level) + 4}" text-anchor="end">${level}</text>`,
  ]);
  const step = Math.max(1, Math.ceil(rounds.length / 10));
  const ticks = rounds
    .filter(({ round }) => round === 1 || round % step === 0)
    .map(
      ({ round }) => `<text x="${x(round)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${round}</text>`,
    );
  const marks = rounds
    .filter(({ providers }) => providers.some(({ audit }) => audit === "proven"))
    .map(
      ({ round, accuracy }) =>
        `<circle cx="${x(round)}" cy="${y(accuracy)}" r="5" fill="#c33"><title>a cheat was proven in round ${round}</title></circle>`,
    );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24" font-size="15">${escaped(title)}: accuracy by round</text>`,
    ...grid,
    ...ticks,
    `<polyline points="${points}" fill="none" stroke="#26c" stroke-width="2"/>`,
    ...marks,
    "</svg>\n",
  ].join("\n");
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
}
