import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type SourceFile, SyntaxKind } from "typescript/unstable/ast";
import { API } from "typescript/unstable/sync";
import { liveEventSchema } from "../../src/control/messages.ts";
import { outputTable, schemaOf } from "./fields.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The part of the compiler's nodes that is read here. */
interface Declared {
  readonly kind: SyntaxKind;
  readonly name?: { readonly text: string };
  readonly pos: number;
  readonly end: number;
  readonly members?: readonly Declared[];
  readonly jsDoc?: readonly { readonly pos: number; readonly end: number }[];
  readonly body?: { readonly pos: number };
  getStart(file: SourceFile): number;
}

/** What the comment of a declaration says. */
interface Comment {
  readonly text: string;
  readonly tags: readonly { readonly name: string; readonly text: string }[];
}

interface Found {
  readonly name: string;
  readonly file: SourceFile;
  readonly node: Declared;
}

/** Every name that the package exports, with the comments of its declarations, as Markdown. */
export function sdkPage(): string {
  const api = new API({ cwd: root });
  try {
    const config = join(root, "scripts/reference/sdk.tsconfig.json");
    const { program } = api.updateSnapshot({ openProject: config }).getProjects()[0]!;
    const fileAt = (path: string): SourceFile => program.getSourceFile(join(root, "src", path))!;
    const found = [...fileAt("index.ts").text.matchAll(/^export (?:type )?\{([^}]+)\} from "\.\/([^"]+)";/gm)]
      .flatMap(([, names, path]) =>
        names!.split(",").map((name) => ({ name: name.trim(), file: fileAt(path!) })),
      )
      .filter(({ name }) => name !== "")
      .map(({ name, file }): Found => ({ name, file, node: declarationOf(name, file) }));
    const aliases = new Map(found.map(({ name, file, node }) => [name, codeOf(file, node)]));
    const isFunction = ({ node }: Found) => node.kind === SyntaxKind.FunctionDeclaration;
    const isClient = ({ name }: Found) => name === "Client";
    const rest = found.filter((one) => !isFunction(one) && !isClient(one));
    return [
      ...found.filter(isFunction).map(functionSection),
      ...found.filter(isClient).map((one) => clientSection(one, aliases)),
      ...rest.map(typeSection),
    ].join("\n\n");
  } finally {
    api.close();
  }
}

function declarationOf(name: string, file: SourceFile): Declared {
  const all = file.statements as unknown as readonly Declared[];
  return all.find((node) => node.name?.text === name)!;
}

function functionSection({ name, file, node }: Found): string {
  return [`## ${name}`, fenced(codeOf(file, node)), told(commentOf(file, node))].join("\n\n");
}

function clientSection({ name, file, node }: Found, aliases: ReadonlyMap<string, string>): string {
  const calls = node.members!.map((member) => {
    const code = codeOf(file, member);
    return [`### ${member.name!.text}`, fenced(code), told(commentOf(file, member)), printedBy(code, aliases)]
      .filter((part) => part !== "")
      .join("\n\n");
  });
  return [`## ${name}`, told(commentOf(file, node)), ...calls].join("\n\n");
}

/** Where the fields are of what a call resolves with: the commands that its type names, by itself or by an alias. */
function printedBy(code: string, aliases: ReadonlyMap<string, string>): string {
  const result = code.slice(code.lastIndexOf("): "));
  const whole = [result, ...[...result.matchAll(/\b[A-Z]\w+\b/g)].map(([name]) => aliases.get(name) ?? "")];
  const commands = [
    ...new Set([...whole.join(" ").matchAll(/OutputOf<"([^"]+)">/g)].map(([, name]) => name!)),
  ];
  const links = commands.map((name) => `[\`ichain ${name}\`](json.md#ichain-${name.replaceAll(" ", "-")})`);
  return links.length === 0 ? "" : `Fields: ${links.join(", ")}.`;
}

function typeSection({ name, file, node }: Found): string {
  const text = told(commentOf(file, node));
  const fields = node.members?.filter(({ kind }) => kind !== SyntaxKind.Constructor);
  const rows = fields?.map((member) => {
    const code = codeOf(file, member)
      .replace(/;$/, "")
      .replace(/^readonly /, "");
    return `| \`${code.replace(/\s+/g, " ").replaceAll("|", "\\|")}\` | ${told(commentOf(file, member)).replace(/\s+/g, " ")} |`;
  });
  const body = rows ? ["| field | what it is |\n|---|---|", ...rows].join("\n") : fenced(codeOf(file, node));
  const more =
    name === "LiveEvent"
      ? outputTable(schemaOf(liveEventSchema, "output"))
      : printedBy(`): ${codeOf(file, node)}`, new Map());
  return [`## ${name}`, text, body, more].filter((part) => part !== "").join("\n\n");
}

/** A declaration without its comment, its body and `export`; each line without the indentation of the first. */
function codeOf(file: SourceFile, node: Declared): string {
  const whole = file.text.slice(node.getStart(file), node.body?.pos ?? node.end);
  const indent = /[ ]*$/.exec(file.text.slice(0, node.getStart(file)))![0];
  return whole
    .replaceAll(`\n${indent}`, "\n")
    .replace(/^export /, "")
    .trim();
}

const fenced = (code: string, language = "ts"): string => `\`\`\`${language}\n${code}\n\`\`\``;

function commentOf(file: SourceFile, node: Declared): Comment {
  const at = node.jsDoc?.at(-1);
  const raw = at === undefined ? "" : file.text.slice(at.pos, at.end);
  const lines = raw
    .replace(/^\s*\/\*\*|\*\/\s*$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""));
  const [text = "", ...tags] = lines.join("\n").split(/^@(?=\w)/m);
  return {
    text: text.trim(),
    tags: tags.map((tag) => {
      const [name = ""] = tag.split(/\s/, 1);
      return { name, text: tag.slice(name.length).trim() };
    }),
  };
}

function told({ text, tags }: Comment): string {
  const of = (name: string) => tags.filter((tag) => tag.name === name).map((tag) => tag.text);
  const params = of("param").map((param) => param.replace(/^(\w+) /, "`$1`: "));
  const throws = of("throws").map((one) => `Throws ${one.replace(/\b[A-Z][A-Z_]{3,}\b/g, "`$&`")}.`);
  return [
    text.replace(/\s*\n(?!\n)/g, " "),
    ...params,
    ...throws,
    ...of("example").map((code) => fenced(code)),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
