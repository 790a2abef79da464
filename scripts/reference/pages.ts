import { type CommandName, errorOutput, OUTPUT_VERSION, outputs } from "../../src/commands/output/all.ts";
import { commandTable, parseCommandLine } from "../../src/commands/program.ts";
import { networkSchema } from "../../src/config/network-schema.ts";
import { fileSchema } from "../../src/config/schema.ts";
import { environmentTable } from "../../src/config.ts";
import { catalogue, type ErrorCode, entryOf } from "../../src/errors/catalogue.ts";
import { exitCodes } from "../../src/errors/entry.ts";
import { policySchema } from "../../src/protocol/policy/policy.ts";
import { jobFileSchema } from "../../src/protocol/task/spec.ts";
import { inputTable, outputTable, schemaOf } from "./fields.ts";
import { openApi } from "./openapi.ts";
import { sdkPage } from "./sdk.ts";

const head = (title: string, about: string) =>
  `# ${title}\n\n<!-- Made from the source by \`npm run reference\`; do not edit. -->\n\n${about}\n`;

/** The pages of docs/reference/ by file name. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    "job.md": job(),
    "policy.md": policy(),
    "config.md": config(),
    "errors.md": errors(),
    "json.md": json(),
    "cli.md": cli(),
    "json-schema.json": outputSchemas(),
    "sdk.md": sdk(),
    "openapi.json": `${JSON.stringify(openApi(), null, 1)}\n`,
  };
}

const UNITS =
  'Times are written `45s`, `10m`, `24h`, `7d`; bytes `64 KiB`, `512 MiB`, `10 GiB`; amounts of coin `"0.01"`, at most 18 decimals.';

function job(): string {
  const about = `What a requester writes: the task, what it needs, and how its result is judged. ${UNITS} Unknown fields are refused with their line. \`ichain new\` writes one to start from.`;
  return `${head("job.yaml", about)}\n${inputTable(schemaOf(jobFileSchema, "input"))}\n`;
}

function policy(): string {
  const about = `What a provider or validator takes on; given with \`--policy\`. Everything has a careful default: an empty file is a policy. ${UNITS} \`ichain policy test policy.yaml job.yaml\` says whether a job would be taken, and if not, why.`;
  return `${head("policy.yaml", about)}\n${inputTable(schemaOf(policySchema, "input"))}\n`;
}

function config(): string {
  const about =
    "`config.yaml` in the home folder (`ICHAIN_HOME`, or `~/.config/ichain`), or the file that `--config` names. Flags win over the environment, the environment over the file.";
  const variables = Object.entries(environmentTable).map(([name, summary]) => `| \`${name}\` | ${summary} |`);
  return [
    head("config.yaml", about),
    inputTable(schemaOf(fileSchema, "input")),
    "",
    "## A network file",
    "",
    "Under `network`, inline or as a file of its own in `networks/`:",
    "",
    inputTable(schemaOf(networkSchema, "input")),
    "",
    "## Environment variables",
    "",
    "| variable | what it does |",
    "|---|---|",
    ...variables,
    "",
  ].join("\n");
}

function errors(): string {
  const about =
    "Every failure has a code that never changes, a class that decides the exit code, and a hint. With `--json` it is one object on stdout (`json.md`). *Again* marks those that the same call may not meet later, without a change by the person. A call that knows more than the table gives a closer hint.";
  const codes = Object.keys(catalogue).toSorted() as ErrorCode[];
  const rows = codes.map((code) => {
    const { class: kind, hint, retryable } = entryOf(code);
    return `| \`${code}\` | ${kind} | ${retryable ? "again" : ""} | ${hint.replaceAll("|", "\\|")} |`;
  });
  return [
    head("Errors and exit codes", about),
    "| class | exit code |",
    "|---|---|",
    ...Object.entries(exitCodes).map(([name, code]) => `| ${name} | ${code} |`),
    "",
    "| code | class | | what to do |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function json(): string {
  const about = `What each command prints on stdout with \`--json\`, version ${OUTPUT_VERSION}. One object on one line; \`watch\`, \`logs\`, \`run --local\`, \`provide\` and \`validate\` may print several lines. Within a version fields are only added. Amounts are decimal strings in the smallest unit. As JSON Schema: [json-schema.json](json-schema.json).`;
  const sections = commandTable.map(({ name }) => {
    const schema = schemaOf(outputs[name as CommandName], "output");
    const variants = schema.anyOf ?? [schema];
    return `## ichain ${name}\n\n${variants.map(outputTable).join("\n\nor\n\n")}\n`;
  });
  const failure = `## Any command that fails\n\n${outputTable(schemaOf(errorOutput, "output"))}\n`;
  return [head("JSON outputs", about), failure, ...sections].join("\n");
}

/** JSON Schema of every output, by command. */
function outputSchemas(): string {
  const all = { ...outputs, error: errorOutput };
  const schemas = Object.entries(all).map(([name, type]) => [name, schemaOf(type, "output")]);
  return `${JSON.stringify({ version: OUTPUT_VERSION, outputs: Object.fromEntries(schemas) }, null, 1)}\n`;
}

function sdk(): string {
  const about =
    'What `import … from "ichain"` has; [sdk.md](../sdk.md) introduces it. Amounts that `--json` prints as decimal strings are bigints here.';
  return `${head("The package ichain", about)}\n${sdkPage()}\n`;
}

function cli(): string {
  const about = "What `ichain COMMAND --help` says, for every command.";
  // Commander breaks lines at the terminal's width: the page must not depend on where it is made.
  process.stdout.columns = 80;
  const text = (argv: string[]) => {
    const answer = parseCommandLine([...argv, "--help"]);
    return answer.kind === "text" ? answer.text.trimEnd() : "";
  };
  const sections = commandTable.map(
    ({ name }) => `## ichain ${name}\n\n\`\`\`\n${text(name.split(" "))}\n\`\`\`\n`,
  );
  return [head("Commands", about), `\`\`\`\n${text([])}\n\`\`\`\n`, ...sections].join("\n");
}
