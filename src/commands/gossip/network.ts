import { type Address, shortId } from "../../protocol/ids.ts";

/** Confirmations that witnesses gave a chain. */
interface Confirmed {
  readonly creator?: Address;
  readonly witnesses: readonly { readonly account: Address; readonly confirmations: number }[];
}

const [SIZE, RADIUS] = [640, 240];

/** Who confirmed whom, as SVG: a circle of peers, and a line from witness to creator, as thick as there are confirmations. */
export function drawNetwork(chains: readonly Confirmed[]): string {
  const links = chains.flatMap(({ creator, witnesses }) =>
    creator === undefined
      ? []
      : witnesses.map(({ account, confirmations }) => ({ account, confirmations, creator })),
  );
  const peers = [...new Set(links.flatMap(({ account, creator }) => [creator, account]))].sort();
  const most = Math.max(1, ...links.map(({ confirmations }) => confirmations));
  const at = (account: Address): readonly [string, string] => {
    const angle = (2 * Math.PI * peers.indexOf(account)) / peers.length;
    return [fixed(SIZE / 2 + RADIUS * Math.sin(angle)), fixed(SIZE / 2 - RADIUS * Math.cos(angle))];
  };
  const lines = links.map(({ account, creator, confirmations }) => {
    const [[x1, y1], [x2, y2]] = [at(account), at(creator)];
    const note = `${account} confirmed ${confirmations} receipts of ${creator}`;
    return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#26c" stroke-opacity="0.35" stroke-width="${fixed(1 + (5 * confirmations) / most)}" marker-end="url(#to)"><title>${note}</title></line>`;
  });
  const dots = peers.flatMap((account) => {
    const [x, y] = at(account);
    return [
      `<circle cx="${x}" cy="${y}" r="9" fill="#26c"><title>${account}</title></circle>`,
      `<text x="${x}" y="${fixed(Number(y) - 14)}" text-anchor="middle">${shortId(account)}</text>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}" font-family="sans-serif" font-size="12">`,
    '<defs><marker id="to" viewBox="0 0 8 8" refX="16" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#26c"/></marker></defs>',
    `<rect width="${SIZE}" height="${SIZE}" fill="#fff"/>`,
    `<text x="20" y="24" font-size="15">Who confirmed whom</text>`,
    ...lines,
    ...dots,
    "</svg>\n",
  ].join("\n");
}

function fixed(value: number): string {
  return value.toFixed(1);
}
