import type { CommandDeclaration } from "../framework/declaration.ts";
import { accountCommands } from "./account.ts";
import { providerCommands } from "./provider.ts";
import { requesterCommands } from "./requester.ts";
import { stakeCommands } from "./stake.ts";
import { trialCommands } from "./trial.ts";

/** Every command of `ichain`, in the order of `--help`. */
export const commandTable: readonly CommandDeclaration[] = [
  ...accountCommands,
  ...requesterCommands,
  ...providerCommands,
  ...stakeCommands,
  ...trialCommands,
];
