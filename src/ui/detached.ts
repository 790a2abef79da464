import { IchainError } from "../errors/error.ts";
import type { Reporter } from "../ports/reporter.ts";
import { table } from "./format.ts";
import type { Prompts, Ui } from "./ui.ts";

/** The side of a command that runs without a terminal: it asks nothing, and `output` has what it prints. */
export function detachedUi(reporter: Reporter, output: Pick<Ui, "print" | "stream">): Ui {
  const refuse = async (message: string): Promise<never> => {
    throw new IchainError("NO_TTY", `There is no terminal to ask "${message}".`, {
      hint: "Give it to the call, or run the command in a terminal.",
    });
  };
  const prompts: Prompts = {
    password: refuse,
    newPassword: refuse,
    confirm: refuse,
    input: refuse,
    select: refuse,
  };
  return { reporter, interactive: false, json: false, prompts, table, ...output };
}
