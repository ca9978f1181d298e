/**
 * What cac does for fade: it holds the commands and options that options.ts declares, finds the command, objects to
 * options that the command does not have, and lays out the help text. Values and operands stay away from it
 * (normalise.ts says why), and so does the terminal: its help is caught before it prints.
 */
import cac from "cac";
import { type NormalArguments, wordsForCac } from "./normalise.ts";
import { COMMANDS, OPTIONS, type OptionSpec } from "./options.ts";

const USAGE = "[options] [file...]";

export const EXAMPLES = `  fade text               writes text.fade and keeps text
  fade -d text.fade       restores text
  tar c dir | fade > dir.tar.fade
  fade -dc dir.tar.fade | tar x`;

/** A line that is indented further goes on with the one before it. */
export const NOTES = `  With no file, or when it is -, fade reads standard input and writes standard output.
  Called as unfade it decompresses, as fadecat to standard output.
  FADE_LEVEL, FADE_THREADS, FADE_MEMORY, FADE_MAX_OUTPUT, FADE_MAX_TIME, FADE_ENGINE and FADE_ADAPTER
    give defaults.
  Exit codes: 0 all well, 1 a file failed, 2 wrong usage, 3 a bad archive, 4 no engine here can do it,
    141 (SIGPIPE) the reader of the output has gone`;

/** Thrown out of cac's help callback, because what comes after the callback prints. */
class HelpReady extends Error {
  constructor(readonly text: string) {
    super("help");
  }
}

function spelling({ name, short, value }: OptionSpec): string {
  return `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value.label}` : ""}`;
}

function declare(options: readonly OptionSpec[]): ReturnType<typeof cac> {
  const cli = cac("fade");
  cli.command("[...files]", "compress or decompress files").usage(USAGE);
  for (const [name, description] of Object.entries(COMMANDS)) cli.command(name, description);
  // Declared for all commands: `fade devices --engine gpu` means what it says.
  for (const spec of options) cli.option(spelling(spec), spec.help);
  return cli;
}

/** Lets cac check the words of the command line. @throws CACError if options.ts and normalise.ts disagree */
export function checkWithCac(args: NormalArguments): void {
  // Values are checked already, and of --prior and --no-prior cac would take one for the other's missing value.
  const optional = ({ value, ...spec }: OptionSpec) => ({
    ...spec,
    ...(value && { value: { ...value, label: value.label.replace(/^<(.*)>$/, "[$1]") } }),
  });
  const cli = declare(OPTIONS.map(optional));
  for (const command of cli.commands) command.action(() => {});
  cli.parse(["", "fade", ...wordsForCac(args)]);
}

/** @param all every option, else only the common ones */
export function helpText(all: boolean): string {
  const cli = declare(OPTIONS.filter((spec) => (all || spec.common) && !spec.planned));
  cli.globalCommand.helpCallback = (sections) => {
    const [usage, , , options] = sections.slice(1);
    const commands = Object.entries(COMMANDS).map(([name, help]) => `  fade ${name.padEnd(17)}  ${help}`);
    // cac gives a "no-" option a default of true, which reads as its opposite.
    const text = [
      "fade compresses files with a model that learns them while it goes, and restores them exactly",
      `Usage: fade ${usage?.body.replace(/^ *\$ fade /, "")}`,
      `Options:\n${options?.body.replaceAll(/ *(\(default: true\))?$/gm, "")}`,
      ...(all ? [`Commands:\n${commands.join("\n")}`, `Examples:\n${EXAMPLES}`, `Notes:\n${NOTES}`] : []),
    ].join("\n\n");
    throw new HelpReady(`${text}\n`);
  };
  try {
    cli.parse(["", "fade"], { run: false });
    cli.outputHelp();
  } catch (error) {
    if (error instanceof HelpReady) return error.text;
    throw error;
  }
  throw new Error("cac did not call back for the help text");
}
