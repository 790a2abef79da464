import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openSandbox } from "../../compose.ts";
import { isIchainError } from "../../errors/error.ts";
import { COIN, coinText, parseAmount } from "../../protocol/amounts.ts";
import type { Benchmark } from "../../protocol/machine/benchmark.ts";
import type { MarketPrices } from "../../protocol/machine/prices.ts";
import { measureAndKeep } from "../benchmark.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { marketText, type Proposal, policyPath, proposePolicy } from "./propose.ts";
import { type PolicyVerdict, testPolicy } from "./test.ts";

/** The job by which a new policy is tried, and the runtime that it needs. */
const SAMPLE = { template: "sklearn", runtime: "python-ml" } as const;
const sampleFile = fileURLToPath(new URL(`../../../templates/${SAMPLE.template}/job.yaml`, import.meta.url));

/** What a machine has once it is prepared to take jobs. */
export interface Prepared {
  /** Absent where it was not measured. */
  readonly benchmark?: Benchmark | undefined;
  readonly policy: Proposal;
  /** Whether the policy takes the sample job. */
  readonly verdicts: readonly PolicyVerdict[];
  /** Whether the runtime of most jobs is held. */
  readonly runtime: boolean;
}

interface Wishes {
  readonly ask: boolean;
  /** Wei an hour; proposed from the market, and asked for, when absent. */
  readonly price?: bigint | undefined;
  readonly measure: boolean;
}

/**
 * Measures this machine, writes a policy with a price from the market, and tries it on a job of the template `sklearn`.
 * A machine that cannot be measured is warned of.
 * @throws as `proposePolicy`
 */
export async function prepareProvider(
  context: CommandContext,
  { ask, price, measure }: Wishes,
): Promise<Prepared> {
  const policy = await proposePolicy(context, (usual, market) =>
    price !== undefined || !ask ? (price ?? usual) : askPrice(context, usual, market),
  );
  const benchmark = measure ? await measured(context) : undefined;
  const { verdicts } = await testPolicy(context, { policy: policy.file, job: sampleFile }, {});
  const { images } = await (await openSandbox(context)).probe(context);
  return { benchmark, policy, verdicts, runtime: images.some(({ name }) => name === SAMPLE.runtime) };
}

/** Whether the owner wants a policy, and the machine measured; neither where there is a policy already. */
export async function askPrepare({
  ui,
  config,
}: CommandContext): Promise<Pick<Wishes, "measure"> | undefined> {
  if (existsSync(policyPath(config))) return undefined;
  if (!(await ui.prompts.confirm("Write a policy, with a price from the market?", true))) return undefined;
  return {
    measure: await ui.prompts.confirm(
      "Measure this machine (half a minute)? Its offers show the score.",
      true,
    ),
  };
}

async function askPrice(
  { ui }: CommandContext,
  usual: bigint,
  market: MarketPrices | undefined,
): Promise<bigint> {
  for (;;) {
    const text = await ui.prompts.input(`Coin for an hour (${marketText(market)}):`, coinText(usual));
    const price = parseAmount(text.trim(), COIN.decimals);
    if (price !== undefined) return price;
    ui.reporter.emit({ kind: "warn", text: 'An amount of coin is a number such as "0.01".' });
  }
}

async function measured(context: CommandContext): Promise<Benchmark | undefined> {
  try {
    return (await measureAndKeep(context)).benchmark;
  } catch (error) {
    if (!isIchainError(error) || error.code === "INTERRUPTED") throw error;
    const text = `The machine is not measured: ${error.message} "ichain benchmark" does it later.`;
    context.ui.reporter.emit({ kind: "warn", text });
    return undefined;
  }
}
