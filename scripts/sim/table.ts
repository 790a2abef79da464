import { type Assumptions, defaults, type Parameter } from "./assumptions.ts";
import type { Party } from "./game.ts";
import { expectedGain, turningPoint } from "./measure.ts";
import { variations, whatPays } from "./sensitivity.ts";
import { strategies } from "./strategies/all.ts";
import { game, type Strategy } from "./strategies/strategy.ts";

/** The tables of docs/incentives.md, which a test holds against what is there. */
export function tables(): string {
  const losing = strategies.filter(({ mustLose }) => mustLose);
  const paying = strategies.filter(({ mustLose }) => !mustLose);
  return [table(losing), table(paying), stops(), sensitivity()].join("\n\n");
}

const symbols: Partial<Record<Parameter, string>> = {
  ...{
    share: "q",
    returns: "r",
    dos: "D",
    flip: "f",
    guess: "g",
    foreseen: "k",
    check: "seen",
    away: "away",
  },
  ...{ rating: "rating", effort: "e", used: "u" },
};
const names: Readonly<Record<Party, string>> = {
  requester: "requester",
  provider: "provider",
  named: "named validators",
  sybils: "pool members",
  drawn: "drawn validators",
};
const signed = (value: number): string => {
  const text = Math.abs(value).toFixed(2);
  return text === "0.00" ? "0.00" : `${value < 0 ? "−" : "+"}${text}`;
};

function table(rows: readonly Strategy[]): string {
  return [
    "| strategy | gain | formula | turns at | others |",
    "|---|---|---|---|---|",
    ...rows.map(row),
  ].join("\n");
}

function row(strategy: Strategy): string {
  const { side, others } = expectedGain(strategy, defaults);
  const felt = [...others].filter(([, gain]) => Math.abs(gain) >= 0.02);
  const turn = turningPoint(strategy, defaults);
  const cells = [
    `\`${strategy.id}\`: ${strategy.what}`,
    signed(side),
    strategy.formula?.[0] ?? "",
    turn === undefined ? "" : `${symbols[strategy.turns![0]] ?? strategy.turns![0]} = ${turn.toFixed(2)}`,
    felt.map(([party, gain]) => `${names[party]} ${signed(gain)}`).join(", "),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The policy's least bounds, the client's defaults, and others. */
const bounds = [
  [0, 1],
  [0.05, 0.9],
  [0.1, 1],
  [0.1, 0.5],
  [0.6, 1],
  [0.9, 0.9],
  [1, 1],
] as const;

/** What a stop is worth to a provider, gas and the cost of the work included, and to a requester that has the result. */
function stops(): string {
  const worth = (a: Assumptions, at: number): number => {
    const cheat = (changed: Assumptions) => game(changed, { requester: { stops: at } });
    return expectedGain(
      { id: "", what: "", mustLose: false, side: ["provider"], honest: undefined, cheat },
      a,
    ).side;
  };
  const withResult = strategies.find(({ id }) => id === "stop-with-the-result")!;
  const cells = bounds.map(([stopFloor, stopCap]) => {
    const a = { ...defaults, stopFloor, stopCap };
    const values = [worth(a, 0), worth(a, a.used), expectedGain(withResult, a).side].map(signed);
    return `| ${stopFloor} to ${stopCap} | ${values.join(" | ")} |`;
  });
  return [
    "| `stop` | provider, stopped at once | provider, stopped just before the end | gain of a requester that has the result from the live log |",
    "|---|---|---|---|",
    ...cells,
  ].join("\n");
}

function sensitivity(): string {
  const rows = variations.map((variation) => {
    const paying = whatPays(strategies, variation).map((id) => `\`${id}\``);
    return `| ${variation.name} | ${paying.join(", ") || "nothing"} |`;
  });
  return ["| assumption changed | of the first table then pays |", "|---|---|", ...rows].join("\n");
}
