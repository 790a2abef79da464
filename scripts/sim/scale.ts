// How far federated jobs carry: 1,000 providers, a billion parameters, public Tor. Plays rounds with this repository's
// figures (scale/figures.ts): `npm run -s sim:scale`; one JSON object. `--markdown` prints the tables of docs/scale.md.
import { figures } from "./scale/figures.ts";
import { gasOf, medianRound, type Played } from "./scale/round.ts";
import { schemes } from "./scale/schemes.ts";

const sizes = [
  { providers: 10, parameters: 1e8 },
  { providers: 100, parameters: 1e9 },
  { providers: 1000, parameters: 1e9 },
] as const;
const counts = [10, 100, 1000];
const ROUNDS = 20;

const time = (seconds: number): string =>
  seconds < 90
    ? `${Math.round(seconds)} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : seconds < 172_800
        ? `${(seconds / 3600).toFixed(1)} h`
        : `${(seconds / 86_400).toFixed(1)} d`;
const amount = (bytes: number): string =>
  bytes < 1e6
    ? `${Math.round(bytes / 1e3)} kB`
    : bytes < 1e9
      ? `${Math.round(bytes / 1e6)} MB`
      : bytes < 1e12
        ? `${(bytes / 1e9).toFixed(1)} GB`
        : `${(bytes / 1e12).toFixed(2)} TB`;
const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
/** 0.0000125 as 1.25e-5, 37500000000 as 37.5 G. */
const plain = (value: number): string =>
  value < 1e-3
    ? value.toExponential()
    : value >= 1e9
      ? `${value / 1e9} G`
      : value >= 1e5
        ? `${value / 1e6} M`
        : String(value);
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => "---")), ...rows].join("\n");

const rounds = sizes.flatMap(({ providers, parameters }) =>
  schemes.map((scheme) => ({
    providers,
    parameters,
    scheme: scheme.name,
    ...medianRound(scheme, providers, parameters),
  })),
);

/** The tables of docs/scale.md, by the name of the comment before each. */
export function scaleTables(): Readonly<Record<string, string>> {
  const parts = (one: Played) => [one.down, one.training, one.up, one.aggregate, one.measure].map(time);
  return {
    figures: table(
      ["figure", "", "from"],
      Object.values(figures).map(({ value, unit, origin, from }) =>
        row(`${plain(value)} ${unit}`, origin, from === "" ? "a guess" : from),
      ),
    ),
    rounds: table(
      [
        "providers × parameters",
        "scheme",
        "down",
        "training",
        "up",
        "sums",
        "measuring",
        "round",
        "a seat's disk",
        "of Tor",
      ],
      rounds.map((one) =>
        row(
          `${one.providers} × ${one.parameters / 1e9} B`,
          one.scheme,
          ...parts(one),
          `**${time(one.total)}**`,
          amount(one.disk),
          `${(100 * one.ofTor).toPrecision(2)} %`,
        ),
      ),
    ),
    chain: table(
      ["providers", `gas of ${ROUNDS} rounds`, "a provider and round", "ledger a round"],
      counts.map((count) =>
        row(
          String(count),
          `${(gasOf(count, ROUNDS) / 1e6).toFixed(2)} M`,
          `${(gasOf(count, ROUNDS) / count / ROUNDS / 1e3).toFixed(1)} k`,
          amount(count * figures.ledger.value),
        ),
      ),
    ),
  };
}

if (import.meta.main) {
  if (process.argv.includes("--markdown")) {
    for (const [name, text] of Object.entries(scaleTables())) console.log(`<!-- ${name} -->\n${text}\n`);
  } else {
    const gas = Object.fromEntries(counts.map((count) => [count, gasOf(count, ROUNDS)]));
    console.log(JSON.stringify({ sim: "scale", rounds, gas }));
  }
}
