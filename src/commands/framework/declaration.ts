import type { AppContext } from "../../context.ts";
import type { MarketReader } from "../../ports/market.ts";

/** What every command is given. */
export interface CommandContext extends AppContext {
  /** The whole table, for commands about commands. */
  readonly commands: readonly CommandDeclaration[];
  /** The market, held open for the commands of a process that runs many (`ichain web`); each opens its own without. */
  readonly market?: MarketReader | undefined;
}

/** Shape of a command's module. `args` holds the declared arguments by camel-cased name, likewise `options`. */
export interface CommandModule {
  run(context: CommandContext, args: object, options: object): Promise<void>;
}

export interface ArgumentDeclaration {
  /** Commander's notation: `<id>`, `[id]`, `<files...>`. */
  readonly syntax: string;
  readonly summary: string;
  readonly choices?: readonly string[];
  readonly parse?: (value: string) => unknown;
}

export interface OptionDeclaration {
  /** Commander's notation: `-o, --out <dir>`, `--yes`, `--validator <account...>`. */
  readonly flags: string;
  readonly summary: string;
  readonly required?: boolean;
  readonly default?: unknown;
  readonly choices?: readonly string[];
  /** Throws class `usage`; see parse.ts. */
  readonly parse?: (value: string) => unknown;
  /** May be given again; its values are a list. Commander's `<value...>` would also take the arguments that follow. */
  readonly repeats?: true;
}

/** Headings of `ichain --help`, in this order. */
export const commandGroups = [
  "Set up",
  "Ask for work",
  "Do work",
  "Collect data",
  "Look after daemons",
  "Try it",
] as const;

export interface CommandDeclaration {
  /** One or two words: `submit`, `wallet create`. */
  readonly name: string;
  readonly group: (typeof commandGroups)[number];
  readonly summary: string;
  readonly arguments?: readonly ArgumentDeclaration[];
  readonly options?: readonly OptionDeclaration[];
  /** Whole command lines; at least one. */
  readonly examples: readonly [string, ...string[]];
  /** Loaded only when the command runs, so that `ichain --help` starts fast. */
  readonly load: () => Promise<CommandModule>;
}
