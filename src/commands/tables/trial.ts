import type { CommandDeclaration } from "../declaration.ts";

/** Commands that try the whole market out on one machine. */
export const trialCommands: readonly CommandDeclaration[] = [];
