import { Argument, Command, CommanderError, Option } from "commander";
import { IchainError, isIchainError } from "../errors/error.ts";
import { coinText } from "../protocol/amounts.ts";
import { programVersion } from "../version.ts";
import { type CommandDeclaration, commandGroups } from "./framework/declaration.ts";
import { accountCommands } from "./tables/account.ts";
import { contentCommands } from "./tables/content.ts";
import { daemonCommands } from "./tables/daemon.ts";
import { dataCommands } from "./tables/data.ts";
import { gossipCommands } from "./tables/gossip.ts";
import { improveCommands } from "./tables/improve.ts";
import { networkCommands } from "./tables/network.ts";
import { providerCommands } from "./tables/provider.ts";
import { requesterCommands } from "./tables/requester.ts";
import { stakeCommands } from "./tables/stake.ts";
import { trialCommands } from "./tables/trial.ts";

/** Every command of `ichain`, in the order of `--help`. */
export const commandTable: readonly CommandDeclaration[] = [
  ...accountCommands,
  ...networkCommands,
  ...requesterCommands,
  ...providerCommands,
  ...stakeCommands,
  ...dataCommands,
  ...improveCommands,
  ...daemonCommands,
  ...trialCommands,
  ...gossipCommands,
  ...contentCommands,
];

/** The options that every command takes. */
export interface GlobalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly config: string | undefined;
}

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "command";
      readonly declaration: CommandDeclaration;
      readonly args: object;
      readonly options: object;
      readonly globals: GlobalOptions;
    };

/** Headings of commands that only hold others. */
const parents: Readonly<Record<string, string>> = {
  wallet: "make and look after the wallet",
  network: "add, list and deploy networks",
  journal: "look after the record of what was begun",
  policy: "try a policy out",
  stake: "look after the stake behind your offer",
  owner: "keep stake and pay apart from the key that a daemon signs with",
  image: "name and publish images of registries",
  runtime: "build and list runtime images",
  data: "collect data from others, correct it, be paid for it; public data by its hash",
  improve: "pay, and be paid, for what data improved",
  gossip: "train among peers, without a server",
};

const camel = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** Names the flag or argument that a parser refused. */
function naming(name: string, parse: (value: string) => unknown): (value: string) => unknown {
  return (value) => {
    try {
      return parse(value);
    } catch (error) {
      if (!isIchainError(error, "USAGE")) throw error;
      throw new IchainError("USAGE", `${name}: ${error.message}`, { hint: error.hint });
    }
  };
}

function describe(command: Command, declaration: CommandDeclaration): void {
  command.summary(declaration.summary).description(`${capital(declaration.summary)}.`);
  for (const { syntax, summary, choices, parse } of declaration.arguments ?? []) {
    const argument = new Argument(syntax, summary);
    if (choices) argument.choices(choices);
    if (parse) argument.argParser(naming(syntax, parse));
    command.addArgument(argument);
  }
  for (const {
    flags,
    summary,
    required,
    default: byDefault,
    choices,
    parse,
    repeats,
  } of declaration.options ?? []) {
    const option = new Option(flags, summary);
    // Amounts are the only bigints, and commander cannot print one.
    if (typeof byDefault === "bigint") option.default(byDefault, coinText(byDefault));
    else if (byDefault !== undefined) option.default(byDefault);
    if (choices) option.choices(choices);
    const read = parse && naming(flags, parse);
    if (repeats) option.argParser<unknown[]>((value, before = []) => [...before, read?.(value) ?? value]);
    else if (read) option.argParser(read);
    command.addOption(option.makeOptionMandatory(required ?? false));
  }
  const title = declaration.examples.length === 1 ? "Example:" : "Examples:";
  command.addHelpText("after", `\n${title}\n${declaration.examples.map((line) => `  ${line}`).join("\n")}`);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

interface Sink {
  text: string;
  invocation: Invocation | undefined;
}

function build(sink: Sink): Command {
  const program = new Command("ichain")
    .description(
      "A compute market for machine learning: encrypted jobs, results confirmed before they are paid.",
    )
    .version(programVersion(), "--version", "print the version")
    .option("--json", "print the result as JSON on stdout")
    .option("--quiet", "print no progress")
    .option("--config <file>", "the configuration file (default: config.yaml in the home folder)")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false);
  const settle = (command: Command): Command =>
    command
      .exitOverride()
      .configureOutput({
        writeOut: (text) => {
          sink.text += text;
        },
        writeErr: () => {},
      })
      .configureHelp({ showGlobalOptions: true });
  settle(program);
  for (const group of commandGroups) {
    program.commandsGroup(`${group}:`);
    for (const declaration of commandTable.filter((each) => each.group === group)) {
      add(program, declaration, sink, settle);
    }
  }
  return program.addHelpText(
    "after",
    "\nExample:\n  ichain demo\n\nichain <command> --help has examples of each.",
  );
}

function add(
  program: Command,
  declaration: CommandDeclaration,
  sink: Sink,
  settle: (command: Command) => Command,
): void {
  const [first, second] = declaration.name.split(" ");
  let parent = program;
  if (second !== undefined) {
    parent =
      program.commands.find((each) => each.name() === first) ??
      settle(
        program
          .command(first!)
          .description(parents[first!] ?? first!)
          .helpCommand(false),
      );
  }
  const command = settle(parent.command(second ?? first!));
  describe(command, declaration);
  command.action(() => {
    const names = command.registeredArguments.map((argument) => camel(argument.name()));
    const global = program.opts<{ json?: true; quiet?: true; config?: string }>();
    sink.invocation = {
      kind: "command",
      declaration,
      args: Object.fromEntries(names.map((name, index) => [name, command.processedArgs[index] as unknown])),
      options: command.opts(),
      globals: { json: global.json ?? false, quiet: global.quiet ?? false, config: global.config },
    };
  });
}

/** Reads the command line, without the program's name. Throws `USAGE`. */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const sink: Sink = { text: "", invocation: undefined };
  const program = build(sink);
  try {
    program.parse(argv.length === 0 ? ["--help"] : [...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usage(error, program, argv);
  }
  return sink.invocation ?? { kind: "text", text: sink.text };
}

function usage(error: CommanderError, program: Command, argv: readonly string[]): IchainError {
  const first = program.commands.find((each) => each.name() === argv.find((word) => !word.startsWith("-")));
  const second = first?.commands.find((each) => argv.includes(each.name()));
  const path = ["ichain", first?.name(), second?.name()].filter((name) => name !== undefined).join(" ");
  const text =
    error.code === "commander.help"
      ? `"${path}" needs one of: ${first?.commands.map((each) => each.name()).join(", ")}.`
      : capital(
          error.message
            .replace(/^error: /, "")
            .replace(/\n/g, " ")
            .replace(/\.?$/, "."),
        );
  return new IchainError("USAGE", text.replace(/\)\.$/, ")"), {
    hint: `Run "${path} --help" for its options and examples.`,
    details: { commander: error.code },
  });
}
