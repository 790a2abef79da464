import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { IchainError } from "../../errors/error.ts";
import { amountText, COIN } from "../../protocol/amounts.ts";
import { type CountedModels, countModels, type Uncounted } from "../../protocol/gossip/settle/counted.ts";
import { measuredMixes } from "../../protocol/gossip/settle/measured.ts";
import { mixesOf, planTrials, type Trial } from "../../protocol/gossip/settle/trials.ts";
import { sharePool, worthOf } from "../../protocol/gossip/settle/worth.ts";
import type { Address } from "../../protocol/ids.ts";
import { ModelFolder } from "../../roles/gossip/settle/model-folder.ts";
import type { Ui } from "../../ui/ui.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { openEvidence } from "./evidence.ts";

const MAX_MEASURED = 64 << 20;
const MODELS = "models";
const MEASURED = "measured.json";

/**
 * Shares a pool by what each peer's training gave: checks the chains, finds what their models could have been made of
 * without training, writes what is to be measured, and shares by what was measured of that.
 */
export async function run(
  { ui, signal }: CommandContext,
  args: { evidence: string },
  options: { span: number; exam: string; pool?: bigint; from?: number; until?: number },
): Promise<void> {
  const { genesis, peers } = await openEvidence(args.evidence);
  const transactions = peers.flatMap(({ blocks }) => blocks.flatMap(({ block }) => block.transactions));
  const times = transactions.map(({ transaction }) => transaction.create);
  const { span, from = Math.min(...times), until = Math.max(...times) + span } = options;
  const named = transactions.map(({ transaction }) => transaction.model);
  const models = await ModelFolder.open(join(args.evidence, MODELS), genesis, named, { signal });
  const counted = countModels(peers, { from, until, has: (model) => models.has(model) });
  const trials = planTrials(counted.counted, { from, span, dot: (a, b) => models.dot(a, b) });
  const exam = resolve(options.exam);
  const mixes = mixesOf(trials);
  const measured = await readMeasured(join(exam, MEASURED));
  if (measured === undefined) {
    await mkdir(join(exam, MODELS), { recursive: true });
    for (const [name, mix] of mixes) {
      await writeFile(join(exam, MODELS, `${name}.safetensors`), models.fileOf(mix));
    }
  }
  const accounts = peers.map(({ account }) => account);
  const worth =
    measured === undefined ? undefined : worthOf(accounts, trials, measuredMixes(measured, mixes));
  const settled = settlement({ counted, trials, worth, pool: options.pool });
  ui.print({ name: genesis.name, exam, models: mixes.size, ...settled }, () =>
    describe(ui, exam, mixes.size, settled),
  );
}

interface Settled {
  readonly spans: number;
  readonly measured: boolean;
  readonly peers: readonly {
    readonly account: Address;
    readonly counted: number;
    readonly uncounted: Readonly<Record<Uncounted, number>>;
    readonly worth?: number;
    readonly share?: bigint;
  }[];
  readonly rest?: bigint;
}

function settlement({
  counted,
  trials,
  worth,
  pool,
}: {
  counted: CountedModels;
  trials: readonly Trial[];
  worth: ReadonlyMap<Address, number> | undefined;
  pool: bigint | undefined;
}): Settled {
  const shared = worth && pool !== undefined ? sharePool(pool, worth) : undefined;
  const accounts = [...counted.uncounted.keys()];
  const peers = accounts.map((account, at) => {
    const why = counted.uncounted.get(account)!;
    const number = (one: Uncounted) => why.filter((each) => each === one).length;
    return {
      account,
      counted: counted.counted.filter(({ generator }) => generator === account).length,
      uncounted: {
        unconfirmed: number("unconfirmed"),
        repeated: number("repeated"),
        missing: number("missing"),
      },
      ...(worth && { worth: worth.get(account)! }),
      ...(shared && { share: shared.shares[at]! }),
    };
  });
  const rest = shared && (shared.refunded ? pool! : shared.rest);
  return {
    ...{ spans: trials.length, measured: worth !== undefined, peers },
    ...(rest !== undefined && { rest }),
  };
}

/** Undefined where nothing was measured yet. */
async function readMeasured(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.size <= MAX_MEASURED) return readFile(path, "utf8");
  throw new IchainError("GOSSIP_MEASURED_INVALID", `The file ${path} is larger than ${MAX_MEASURED} bytes.`);
}

function describe(ui: Ui, exam: string, models: number, { spans, measured, peers, rest }: Settled): string {
  const rows = peers.map(({ account, counted, uncounted, worth, share }) => [
    account,
    String(counted),
    `${uncounted.unconfirmed} unconfirmed, ${uncounted.repeated} seen before, ${uncounted.missing} missing`,
    worth === undefined ? "" : (worth / 1e6).toFixed(4),
    share === undefined ? "" : amountText(share, COIN.decimals),
  ]);
  const table = ui.table(["peer", "models", "of no account", "worth", "share"], rows);
  const next = measured
    ? rest === undefined
      ? "Give --pool to share one."
      : `${amountText(rest, COIN.decimals)} of the pool is left to who settles.`
    : `${models} models of ${spans} spans are in ${join(exam, MODELS)}: have them measured, put what comes out into ${join(exam, MEASURED)}, and call this again.`;
  return `${table}\n${next}`;
}
