import type { CommandDeclaration } from "../declaration.ts";

/** Commands of who asks for work. */
export const requesterCommands: readonly CommandDeclaration[] = [];
