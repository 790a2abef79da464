import type { FederatedFile } from "../../protocol/federated/job-file.ts";
import type { ServerStep, Strategy } from "../../protocol/federated/strategy.ts";

/**
 * The server's step in whole thousandths: the job file's values before the strategy's, within what keeps its sums exact.
 */
export function serverStep(
  { outer, settings }: Pick<FederatedFile, "outer" | "settings">,
  strategy: Strategy,
): ServerStep {
  const all = { lr: 1000, momentum: 0, beta1: 0, beta2: 0, tau: 0, ...strategy.settings, ...settings };
  const thousandths = (value: number | undefined, byDefault: number) =>
    value === undefined ? byDefault : Math.round(value * 1000);
  const momentum = thousandths(outer?.momentum, all.momentum);
  const implied = outer?.momentum !== undefined && strategy.server === "plain" ? "nesterov" : strategy.server;
  const within = (value: number, most: number) => Math.max(0, Math.min(most, value));
  return {
    kind: outer?.step ?? implied,
    lr: within(thousandths(outer?.lr, all.lr), 10_000),
    momentum: within(momentum, 999),
    beta1: within(all.beta1, 999),
    beta2: within(all.beta2, 999),
    tau: within(all.tau, 1_000_000),
  };
}
