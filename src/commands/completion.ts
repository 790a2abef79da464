import type { CommandContext, CommandDeclaration } from "./framework/declaration.ts";

interface Words {
  /** What may follow, by the command's words before it; "" is the beginning. */
  readonly after: ReadonlyMap<string, readonly string[]>;
}

const globalFlags = ["--json", "--quiet", "--config", "--help"];

function words(commands: readonly CommandDeclaration[]): Words {
  const after = new Map<string, string[]>([["", [...globalFlags, "--version"]]]);
  const put = (path: string, word: string): void => {
    const list = after.get(path) ?? [];
    if (!list.includes(word)) list.unshift(word);
    after.set(path, list);
  };
  for (const { name, arguments: declared = [], options = [] } of [...commands].reverse()) {
    const parts = name.split(" ");
    for (const [at, part] of parts.entries()) put(parts.slice(0, at).join(" "), part);
    const flags = options.flatMap((option) => option.flags.match(/--[a-z-]+/g) ?? []);
    const choices = declared.flatMap((argument) => argument.choices ?? []);
    after.set(name, [...choices, ...flags, ...globalFlags]);
  }
  return { after };
}

const cases = ({ after }: Words): string =>
  [...after].map(([path, list]) => `    "${path}") words="${list.join(" ")}" ;;`).join("\n");

const scripts: Readonly<Record<string, (words: Words) => string>> = {
  bash: (known) => `_ichain() {
  local words path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || path="\${path:+$path }$word"
  done
  case "$path" in
${cases(known)}
    *) words="${globalFlags.join(" ")}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ichain ichain`,
  zsh: (known) => `#compdef ichain
_ichain() {
  local words_ path="" word
  local -a list
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -* ]] || path="\${path:+$path }$word"
  done
  case "$path" in
${cases(known).replaceAll("words=", "words_=")}
    *) words_="${globalFlags.join(" ")}" ;;
  esac
  list=(\${=words_})
  compadd -a list || _files
}
compdef _ichain ichain`,
  fish: ({ after }) =>
    [
      "function __ichain_path",
      "  string join ' ' (string match -v -- '-*' (commandline -opc)[2..-1])",
      "end",
      ...[...after].map(
        ([path, list]) => `complete -c ichain -n "test (__ichain_path) = '${path}'" -a "${list.join(" ")}"`,
      ),
    ].join("\n"),
};

/** Prints the completion script of a shell, made from the same table as the commands. */
export async function run({ ui, commands }: CommandContext, { shell }: { shell: string }): Promise<void> {
  const script = scripts[shell]!(words(commands));
  ui.print({ shell, script }, () => script);
}
