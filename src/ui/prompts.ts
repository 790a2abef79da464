import { IchainError } from "../errors/error.ts";
import { neutraliseLine } from "../protocol/neutralise.ts";
import type { Choice, Prompts } from "./ui.ts";

function noTerminal(message: string): IchainError {
  return new IchainError("NO_TTY", `There is no terminal to ask "${message}" on.`);
}

/** Questions by inquirer, drawn on stderr so that stdout stays data; refused when not `interactive`. */
export function createPrompts(interactive: boolean): Prompts {
  async function ask<Value>(
    question: { type: string; message: string } & Record<string, unknown>,
  ): Promise<Value> {
    if (!interactive) throw noTerminal(question.message);
    const message = neutraliseLine(question.message);
    const { createPromptModule } = await import("inquirer");
    const prompt = createPromptModule({ output: process.stderr });
    try {
      const answers: { answer?: unknown } = await prompt([{ name: "answer", ...question, message }] as never);
      return answers.answer as Value;
    } catch (error) {
      if ((error as Error).name !== "ExitPromptError") throw error;
      throw new IchainError("INTERRUPTED", "Interrupted.", {
        hint: "Nothing was changed; run the command again when you are ready.",
        cause: error,
      });
    }
  }
  const password = (message: string): Promise<string> => ask({ type: "password", message, mask: "*" });
  return {
    password,
    async newPassword(message) {
      for (;;) {
        const first = await ask<string>({
          type: "password",
          message,
          mask: "*",
          validate: (text: string) => text.length >= 8 || "At least eight characters.",
        });
        if ((await password("The same again:")) === first) return first;
        process.stderr.write("The two differ; try again.\n");
      }
    },
    confirm: (message, byDefault) => ask({ type: "confirm", message, default: byDefault }),
    input: (message, byDefault) => ask({ type: "input", message, default: byDefault }),
    select: <Value>(message: string, choices: readonly Choice<Value>[]) =>
      ask<Value>({
        type: "select",
        message,
        choices: choices.map((choice) => ({ ...choice, name: neutraliseLine(choice.name) })),
      }),
  };
}
