import { IchainError, impossible } from "../../errors/error.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { Reporter } from "../../ports/reporter.ts";
import { neutralise } from "../../protocol/neutralise.ts";
import { detachedUi } from "../../ui/detached.ts";
import { toJson } from "../../ui/format.ts";
import type { Ui } from "../../ui/ui.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { type CommandName, type OutputOf, outputs } from "../output/all.ts";

/** Characters of a command's text for people that are kept. */
const MAX_TEXT = 200_000;

/** What a command printed: the data of `--json`, the last of several, and the same for people. */
export interface Printed<Name extends CommandName> {
  readonly data?: OutputOf<Name> | undefined;
  readonly text: string;
}

/** The context in which the page runs commands: they print into the page, ask nothing, and have the page's password. */
export function pageContext(
  context: CommandContext,
  { market, reporter, password }: { market: MarketReader; reporter: Reporter; password: () => string },
): CommandContext {
  return {
    ...context,
    market,
    config: { ...context.config, password: { from: "environment", reveal: password } },
    ui: detachedUi(reporter, { print() {}, stream() {} }),
  };
}

/**
 * Runs one of ichain's commands here, so that the page and the command line say the same.
 * @throws what the command throws, except the code `printing`, which it throws after it printed
 */
export async function runCommand<Name extends CommandName>(
  context: CommandContext,
  name: Name,
  { args = {}, options = {} }: { readonly args?: object; readonly options?: object } = {},
  { printing, onText }: { readonly printing?: string; readonly onText?: (text: string) => void } = {},
): Promise<Printed<Name>> {
  let [data, text] = [undefined as OutputOf<Name> | undefined, ""];
  const add = (piece: string): void => {
    text = `${text}${neutralise(piece)}`.slice(-MAX_TEXT);
    onText?.(neutralise(piece));
  };
  const ui: Ui = {
    ...context.ui,
    print(printed, render) {
      data = outputs[name].parse(JSON.parse(toJson(printed))) as OutputOf<Name>;
      if (render) add(`${text === "" ? "" : "\n"}${render()}`);
    },
    stream: (_data, piece) => add(piece),
  };
  const { load } = context.commands.find((one) => one.name === name) ?? impossible(`no command ${name}`);
  const { run } = await load();
  try {
    await run({ ...context, ui }, args, options);
  } catch (error) {
    if (!(error instanceof IchainError && error.code === printing && data !== undefined)) throw error;
  }
  return { data, text };
}
