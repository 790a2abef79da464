const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [720, 220, 72, 40, 136, 32];
const COLOURS = ["#26c", "#c33", "#2a2", "#a5c", "#c80", "#088", "#666", "#d5a"];
const LEVELS = 4;

/** Values over time: what `x` counts is the same for all curves of a picture. */
export interface Curve {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** One part of a picture: curves on one scale, which begins at 0. */
export interface CurvePart {
  readonly title: string;
  readonly curves: readonly Curve[];
}

/** An SVG of parts below one another, over `unit`. */
export function drawCurves(title: string, unit: string, parts: readonly CurvePart[]): string {
  const all = parts.flatMap(({ curves }) => curves.flatMap(({ points }) => points.map(({ x }) => x)));
  const [first, last] = [Math.min(...all), Math.max(...all)];
  const span = last > first ? last - first : 1;
  const x = (at: number) => round1(LEFT + ((at - first) / span) * (WIDTH - LEFT - RIGHT));
  const height = 30 + parts.length * HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="22" font-size="15">${escaped(title)}</text>`,
    ...parts.map((part, i) => `<g transform="translate(0 ${30 + i * HEIGHT})">${drawPart(part, x)}</g>`),
    `<text x="${WIDTH - RIGHT}" y="${height - 10}" text-anchor="end">${escaped(unit)} ${round1(first)} to ${round1(last)}</text>`,
    "</svg>\n",
  ].join("\n");
}

function drawPart({ title, curves }: CurvePart, x: (at: number) => number): string {
  const most = Math.max(...curves.flatMap(({ points }) => points.map((point) => point.y))) || 1;
  const y = (value: number) => round1(HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM));
  const grid = Array.from({ length: LEVELS + 1 }, (_, i) => (most * i) / LEVELS).flatMap((level) => [
    `<line x1="${LEFT}" y1="${y(level)}" x2="${WIDTH - RIGHT}" y2="${y(level)}" stroke="#ddd"/>`,
    `<text x="${LEFT - 8}" y="${y(level) + 4}" text-anchor="end">${Number(level.toPrecision(3))}</text>`,
  ]);
  const lines = curves.flatMap(({ name, points }, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const drawn = points.map((point) => `${x(point.x)},${y(point.y)}`).join(" ");
    return [
      `<polyline points="${drawn}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      `<text x="${WIDTH - RIGHT + 8}" y="${TOP + 14 * i + 8}" fill="${colour}">${escaped(name)}</text>`,
    ];
  });
  return [`<text x="${LEFT}" y="28" font-size="13">${escaped(title)}</text>`, ...grid, ...lines].join("\n");
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
}
