import type { CommandDeclaration } from "../declaration.ts";

/** Commands that set a machine and an account up. */
export const accountCommands: readonly CommandDeclaration[] = [
  {
    name: "completion",
    group: "Set up",
    summary: "print a shell's completion script",
    arguments: [{ syntax: "<shell>", summary: "the shell", choices: ["bash", "zsh", "fish"] }],
    examples: ["source <(ichain completion bash)"],
    load: () => import("../completion.ts"),
  },
];
