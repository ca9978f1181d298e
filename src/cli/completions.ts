/**
 * Completions for bash, zsh and fish, from the one table of options. `fade --completions bash` prints them; the folder
 * completions/ holds the same texts for packagers.
 */
import { PROGRAM_NAMES } from "./environment.ts";
import { COMMANDS, OPTIONS, type OptionSpec } from "./options.ts";

const PROGRAMS = ["fade", ...Object.keys(PROGRAM_NAMES)];
const SHELLS: Readonly<Record<string, () => string>> = { bash: forBash, zsh: forZsh, fish: forFish };

/** What an installed completion is called in its shell's folder. */
export const COMPLETION_FILES: Readonly<Record<string, string>> = { bash: "fade", zsh: "_fade", fish: "fade.fish" };

/** @param shell bash, zsh or fish */
export function completionsFor(shell: string): string {
  const make = SHELLS[shell];
  if (!make) throw new RangeError(`there are no completions for ${shell}`);
  return make();
}

const madeFrom = (shell: string) => `# Made from src/cli/options.ts: fade --completions ${shell}. Do not edit.`;
const offered = OPTIONS.filter((spec) => !spec.planned);
const LEVELS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** Whether a value must follow. */
const isTaker = ({ value }: OptionSpec) => value !== undefined && !value.isOptional;

function longNames({ name, aliases = [] }: OptionSpec): string[] {
  return [name, ...aliases].map((each) => `--${each}`);
}

function allNames(spec: OptionSpec): string[] {
  return [...(spec.short ? [`-${spec.short}`] : []), ...longNames(spec)];
}

function forBash(): string {
  const values = offered.flatMap((spec) => {
    const { value } = spec;
    if (!value || value.isOptional) return [];
    const words = value.choices ? `compgen -W "${value.choices.join(" ")}" -- "$cur"` : undefined;
    const action =
      words ??
      { path: 'compgen -f -- "$cur"', directory: 'compgen -d -- "$cur"' }[value.kind as "path" | "directory"] ??
      ":";
    return [`    ${allNames(spec).join("|")}) mapfile -t COMPREPLY < <(${action}); return ;;`];
  });
  const words = [...LEVELS.map((level) => `-${level}`), ...offered.flatMap(allNames)];
  return `${madeFrom("bash")}
_fade() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  # Readline breaks words at =.
  if [[ $cur == = ]]; then cur= ; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  case $prev in
${values.join("\n")}
  esac
  compopt -o filenames 2>/dev/null
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${words.join(" ")}" -- "$cur")
    return
  fi
  mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  if ((COMP_CWORD == 1)); then
    mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "${Object.keys(COMMANDS).join(" ")}" -- "$cur")
  fi
}
complete -F _fade ${PROGRAMS.join(" ")}
`;
}

function forZsh(): string {
  const quote = (text: string) => text.replace(/[[\]:\\]/g, "\\$&").replaceAll("'", "'\\''");
  const action = ({ value }: OptionSpec) => {
    if (!value || value.isOptional) return "";
    const by = { path: "_files", directory: "_files -/", word: " ", number: " ", size: " " }[value.kind];
    const label = value.label.replace(/[<>]/g, "");
    return `:${label}:${value.choices ? `(${value.choices.join(" ")})` : by}`;
  };
  const lines = offered.flatMap((spec) => {
    const repeatable = spec.name === "verbose" || spec.name === "quiet" || spec.name === "filelist" ? "*" : "";
    const long = (name: string) =>
      `'${repeatable}${name}${isTaker(spec) ? "=" : ""}[${quote(spec.help)}]${action(spec)}'`;
    const short = `'${repeatable}-${spec.short}${isTaker(spec) ? "+" : ""}[${quote(spec.help)}]${action(spec)}'`;
    return [...(spec.short ? [short] : []), ...longNames(spec).map(long)];
  });
  const levels = LEVELS.map((level) => `'-${level}[level ${level}]'`);
  const commands = Object.entries(COMMANDS).map(([name, help]) => `'${name}:${quote(help)}'`);
  return `#compdef ${PROGRAMS.join(" ")}
${madeFrom("zsh")}
_fade_files() {
  local -a commands=(${commands.join(" ")})
  ((CURRENT == 2)) && _describe command commands
  _files
}
_arguments -s -S \\
  ${[...levels, ...lines].join(" \\\n  ")} \\
  '*:file:_fade_files'
`;
}

function forFish(): string {
  const quote = (text: string) => `'${text.replace(/['\\]/g, "\\$&")}'`;
  const programs = PROGRAMS.map((name) => `-c ${name}`);
  const line = (program: string, spec: OptionSpec) => {
    const long = longNames(spec).map((name) => `-l ${name.slice(2)}`);
    const { value } = spec;
    const kinds = {
      path: "-r -F",
      directory: "-x -a '(__fish_complete_directories)'",
      word: "-x",
      number: "-x",
      size: "-x",
    };
    const takes =
      !value || value.isOptional
        ? ""
        : value.choices
          ? ` -x -a ${quote(value.choices.join(" "))}`
          : ` ${kinds[value.kind]}`;
    const short = spec.short ? ` -s ${spec.short}` : "";
    return `complete ${program}${short} ${long.join(" ")}${takes} -d ${quote(spec.help)}`;
  };
  const lines = programs.flatMap((program) => [
    ...LEVELS.map((level) => `complete ${program} -o ${level} -d ${quote(`level ${level}`)}`),
    ...offered.map((spec) => line(program, spec)),
  ]);
  const commands = Object.entries(COMMANDS).map(
    ([name, help]) => `complete -c fade -n __fish_is_first_token -a ${name} -d ${quote(help)}`,
  );
  return `${[madeFrom("fish"), ...lines, ...commands].join("\n")}\n`;
}
