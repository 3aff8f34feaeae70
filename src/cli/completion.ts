/** Scripts that complete the command's words in a shell, made from what commander knows of it. */

import type { Command, Option } from "commander";

/** What may follow the words of a command: "" is the command itself, "test tunnel" one beneath it. */
interface Words {
  readonly path: string;
  readonly commands: readonly string[];
  readonly options: readonly Option[];
  /** What the first argument may be. */
  readonly choices: readonly string[];
}

export function bashCompletion(program: Command): string {
  const cases = all(program).map(
    ({ path, commands, options, choices }) =>
      `    "${path}") words="${[...commands, ...choices, ...options.map(nameOf)].join(" ")}" ;;`,
  );
  const values = valuesOf(program).map(
    ([name, choices]) =>
      `    ${name}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$word")); return ;;`,
  );
  const commands = all(program).flatMap(({ path }) => (path === "" ? [] : [path]));
  return `# bash completion for lacewing: source it, or put it into /usr/share/bash-completion/completions/lacewing
_lacewing() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" each
  COMPREPLY=()
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$each" in
    ${commands.map((path) => `"${path}"`).join("|")}) path="\${path:+$path }$each" ;;
    esac
  done
  case "$before" in
${values.join("\n")}
    ${fileOptions(program).join("|")}) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _lacewing lacewing
`;
}

export function zshCompletion(program: Command): string {
  const cases = all(program).map(({ path, commands, options, choices }) => {
    const words = [...commands, ...choices].map(quoted);
    const described = options.map((option) =>
      quoted(`${nameOf(option)}:${option.description.replaceAll(":", "\\:")}`),
    );
    return `    ${quoted(path)}) words_=(${words.join(" ")}); options_=(${described.join(" ")}) ;;`;
  });
  const values = valuesOf(program).map(
    ([name, choices]) => `    ${name}) compadd -- ${choices.map(quoted).join(" ")}; return ;;`,
  );
  const commands = all(program).flatMap(({ path }) => (path === "" ? [] : [quoted(path)]));
  return `#compdef lacewing
# zsh completion for lacewing: put it as _lacewing into a folder of $fpath
_lacewing() {
  local path_="" each found=1
  local -a words_ options_
  for each in "\${words[@]:1:$((CURRENT - 2))}"; do
    case "\${path_:+$path_ }$each" in
    ${commands.join("|")}) path_="\${path_:+$path_ }$each" ;;
    esac
  done
  case "\${words[CURRENT-1]}" in
${values.join("\n")}
    ${fileOptions(program).join("|")}) _files; return ;;
  esac
  case "$path_" in
${cases.join("\n")}
  esac
  (( \${#words_} )) && compadd -- "\${words_[@]}" && found=0
  (( \${#options_} )) && _describe option options_ && found=0
  return found
}
_lacewing "$@"
`;
}

function all(command: Command, path = ""): readonly Words[] {
  const here: Words = {
    path,
    commands: command.commands.map((each) => each.name()),
    options: command.options.filter(({ hidden }) => !hidden),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  };
  const beneath = command.commands.flatMap((each) =>
    all(each, path === "" ? each.name() : `${path} ${each.name()}`),
  );
  return [here, ...beneath];
}

/** Options with a few words for a value, each once. */
function valuesOf(program: Command): readonly (readonly [string, readonly string[]])[] {
  const choices = new Map<string, readonly string[]>();
  for (const { options } of all(program))
    for (const option of options)
      if (option.argChoices !== undefined) choices.set(nameOf(option), option.argChoices);
  return [...choices];
}

/** Options whose value is a file. */
function fileOptions(program: Command): readonly string[] {
  const names = all(program).flatMap(({ options }) =>
    options.filter(({ flags }) => /<(file|path)>/.test(flags)).map(nameOf),
  );
  return [...new Set(names)];
}

function nameOf(option: Option): string {
  return option.long ?? option.short ?? "";
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
