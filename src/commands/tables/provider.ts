import type { CommandDeclaration } from "../declaration.ts";

/** Commands of who does work: providers and validators. */
export const providerCommands: readonly CommandDeclaration[] = [];
