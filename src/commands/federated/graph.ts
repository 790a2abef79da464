import type { TracedModel } from "../../protocol/federated/ledger/trace.ts";
import { shortId } from "../../protocol/ids.ts";

/** The graph of a model's ancestors in Graphviz's language: data → update → model → next model. */
export function drawDot(models: readonly TracedModel[], start: string): string {
  const edges = models.flatMap(({ model, parent, round, parts }) => [
    `  "${parent}" -> "${model}";`,
    ...parts.flatMap(({ provider, update, data, weight }) => {
      const name = `${round} ${provider}`;
      return [
        `  "${name}" [label="${shortId(provider)}\\n${shortId(update)}", shape=ellipse];`,
        `  "${data}" -> "${name}";`,
        `  "${name}" -> "${model}" [label="${weight}"];`,
      ];
    }),
  ]);
  const data = [...new Set(models.flatMap(({ parts }) => parts.map((part) => part.data)))];
  return [
    "digraph model {",
    '  node [fontname="sans-serif", shape=box];',
    `  "${start}" [label="start ${shortId(start as `0x${string}`)}"];`,
    ...data.map((digest) => `  "${digest}" [label="data ${shortId(digest)}", shape=cylinder];`),
    ...models.map(({ model, round }) => `  "${model}" [label="round ${round}\\n${shortId(model)}"];`),
    ...edges,
    "}\n",
  ].join("\n");
}

const [LEFT, TOP, COLUMN, ROW, RADIUS] = [190, 90, 96, 64, 14];

/** The same as SVG: a column for each part of the data, a row for each round, the newest at the bottom. */
export function drawGraph(models: readonly TracedModel[]): string {
  const rounds = models.toReversed();
  const data = [...new Set(rounds.flatMap(({ parts }) => parts.map((part) => part.data)))].sort();
  const x = (digest: string) => LEFT + COLUMN / 2 + data.indexOf(digest as `0x${string}`) * COLUMN;
  const y = (row: number) => TOP + ROW / 2 + row * ROW;
  const [width, height] = [LEFT + Math.max(1, data.length) * COLUMN + 16, TOP + rounds.length * ROW + 16];
  const columns = data.flatMap((digest) => [
    `<line x1="${x(digest)}" y1="${TOP - 14}" x2="${x(digest)}" y2="${height - 24}" stroke="#e2e2e2"/>`,
    `<text x="${x(digest)}" y="${TOP - 22}" text-anchor="middle">${shortId(digest)}</text>`,
  ]);
  const rows = rounds.flatMap(({ round, model, parts }, row) => {
    const most = Math.max(1, ...parts.map(({ weight }) => weight));
    const next = `<line x1="88" y1="${y(row) + 20}" x2="88" y2="${y(row + 1) - 20}" stroke="#888"/>`;
    return [
      `<rect x="16" y="${y(row) - 20}" width="144" height="40" rx="4" fill="#eef4ff" stroke="#26c"/>`,
      `<text x="88" y="${y(row) - 4}" text-anchor="middle">round ${round}</text>`,
      `<text x="88" y="${y(row) + 12}" text-anchor="middle" fill="#555">${shortId(model)}</text>`,
      ...(row + 1 < rounds.length ? [next] : []),
      ...parts.map(({ data: digest, provider, weight, audit }) => {
        const radius = Math.max(3, Math.round(RADIUS * Math.sqrt(weight / most)));
        const note = `${provider}: weight ${weight}${audit === "none" ? "" : `, replayed: ${audit}`}`;
        return `<circle cx="${x(digest)}" cy="${y(row)}" r="${radius}" fill="${audit === "clean" ? "#2a7" : "#26c"}"><title>${note}</title></circle>`;
      }),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    '<text x="16" y="24" font-size="15">What the model was made from</text>',
    '<text x="16" y="44" fill="#555">a column for each part of the data, a row for each round; green: replayed</text>',
    ...columns,
    ...rows,
    "</svg>\n",
  ].join("\n");
}
