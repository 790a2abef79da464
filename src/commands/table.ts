import type { CommandDeclaration } from "./declaration.ts";
import { accountCommands } from "./tables/account.ts";
import { providerCommands } from "./tables/provider.ts";
import { requesterCommands } from "./tables/requester.ts";
import { stakeCommands } from "./tables/stake.ts";
import { trialCommands } from "./tables/trial.ts";

/** Every command of `ichain`, in the order of `--help`. */
export const commandTable: readonly CommandDeclaration[] = [
  ...accountCommands,
  ...requesterCommands,
  ...providerCommands,
  ...stakeCommands,
  ...trialCommands,
];
