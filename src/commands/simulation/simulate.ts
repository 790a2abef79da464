import { z } from "zod";
import { parseYaml } from "../../config/yaml.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { readTrialText } from "./trial-text.ts";

/** What both kinds of files may have. */
const anyTrial = z.looseObject({ campaign: z.unknown().optional() });

/** Plays what the file holds: a data campaign where it has a block `campaign`, else a federated job. */
export async function run(
  context: CommandContext,
  args: { file: string },
  options: { seed?: string; strategy?: string; plot?: string; ledger?: string },
): Promise<void> {
  const source = { text: await readTrialText(args.file), name: args.file, code: "TRIAL_INVALID" } as const;
  if (parseYaml(source, anyTrial).campaign !== undefined) {
    const { playCampaign } = await import("../campaign/simulate.ts");
    return await playCampaign(context, source, options);
  }
  const { playFederated } = await import("../federated/simulate.ts");
  await playFederated(context, source, options);
}
