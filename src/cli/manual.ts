/**
 * The manual page, from the one table of options. `fade --man` prints it, because the program is a single file; docs/
 * fade.1 is the same text for packagers.
 */
import { EXAMPLES, NOTES } from "./cac.ts";
import { PROGRAM_NAMES } from "./environment.ts";
import { FOREIGN_OPTIONS, type ForeignOption } from "./foreign.ts";
import { COMMANDS, OPTION_SECTIONS, OPTIONS, type OptionSpec } from "./options.ts";

/** @param version of the program */
export function manualPage(version: string): string {
  const lines = [
    '.\\" Made from src/cli/options.ts: fade --man. Do not edit.',
    `.TH FADE 1 "" "fade ${version}" "User Commands"`,
    ".SH NAME",
    `fade, ${Object.keys(PROGRAM_NAMES).join(", ")} \\- lossless compression by a model that learns`,
    ".SH SYNOPSIS",
    ".B fade",
    "[\\fIoptions\\fR] [\\fIfile\\fR...]",
    ...Object.entries(PROGRAM_NAMES).flatMap(([name, words]) => [
      ".PP",
      `.B ${name}`,
      `[\\fIoptions\\fR] [\\fIfile\\fR...]    (fade ${roff(words.join(" "))})`,
    ]),
    ".SH DESCRIPTION",
    ...DESCRIPTION.flatMap((paragraph) => [".PP", roff(paragraph)]),
    ".SH OPTIONS",
    "Short options cluster (\\-dkf), and numbers attach to them (\\-T4).",
    roff(
      "Of opposites (-k and --rm, --sparse and --no-sparse, --progress and --no-progress), modes and levels the last " +
        "one counts. -c and -o together are an error, so fadecat takes no -o.",
    ),
    ...OPTION_SECTIONS.flatMap(([title, options]) => [
      `.SS ${title}`,
      ...options.filter((spec) => !spec.planned).flatMap(entry),
    ]),
    ".SS The end",
    ".TP",
    "\\fB\\-\\-\\fR",
    roff("Everything behind it is a file name."),
    ".SS Of other compressors",
    roff("What zstd, xz, gzip, pigz and brotli have and fade has not works where it can, and else is an error."),
    ...FOREIGN_OPTIONS.flatMap(foreignEntry),
    ".SH COMMANDS",
    ...Object.entries(COMMANDS).flatMap(([name, help]) => [".TP", `\\fBfade ${name}\\fR`, roff(sentence(help))]),
    ".SH ENVIRONMENT",
    "Options override these.",
    ...OPTIONS.flatMap(({ name, environment }) =>
      environment ? [".TP", `\\fB${environment}\\fR`, `The default of \\fB\\-\\-${roff(name)}\\fR.`] : [],
    ),
    ".TP",
    "\\fBXDG_CACHE_HOME\\fR, \\fBHOME\\fR, \\fBTMPDIR\\fR",
    roff(
      "The GPU library is unpacked to the folder fade in the user's cache ($XDG_CACHE_HOME, or ~/.cache), if nobody " +
        "else can write there; else to a fresh private folder in TMPDIR, which is removed at the end. Outputs in the " +
        "making lie beside their final place, so that they can become it.",
    ),
    ".TP",
    "\\fBTERM\\fR",
    roff("With dumb, no escape sequences are written. There are no colours, so NO_COLOR changes nothing."),
    ".SH EXIT STATUS",
    ...EXIT_STATUS.flatMap(([code, meaning]) => [".TP", `\\fB${code}\\fR`, roff(meaning)]),
    ".SH SIGNALS",
    roff(SIGNALS),
    ".SH NOTES",
    ...NOTES.split(/\n(?! {4})/).flatMap((note) => [".PP", roff(note.trim().replace(/\s+/g, " "))]),
    ".SH EXAMPLES",
    ".nf",
    ...EXAMPLES.split("\n").map((line) => roff(line.trim())),
    ".fi",
    ".SH SEE ALSO",
    "\\fBzstd\\fR(1), \\fBxz\\fR(1), \\fBtar\\fR(1)",
  ];
  return `${lines.join("\n")}\n`;
}

const DESCRIPTION = [
  "fade compresses files with a model that learns each file while it compresses it: many contexts, mixed bit by bit, " +
    "or with --preset a neural network. Decompression repeats the same learning, in integers, so an archive decodes " +
    "bit for bit on every machine, on every GPU and without one.",
  "FILE becomes FILE.fade and is kept. Archives end in .fade or, of tar files, in .tfade.",
  "An output gets its name only when it is complete and on the disk; until then an older file of that name stays as " +
    "it is. It has the mode, access list and time of its source. Decoded bytes that do not match their checksum get " +
    "no name.",
  "Archives can be joined: cat a.fade b.fade is one that holds both. Zeros behind an archive are padding; anything " +
    "else there is an error.",
];

const EXIT_STATUS: readonly (readonly [code: number, meaning: string])[] = [
  [0, "All is well."],
  [1, "A file failed, or several failed for different reasons."],
  [2, "The command line makes no sense; nothing was touched."],
  [3, "An archive is corrupt, truncated or of another version, or is beyond --max-output or --max-time."],
  [4, "No engine here can do it."],
  [141, "As a shell shows it: the reader of the output has gone, and SIGPIPE has ended fade."],
];

const SIGNALS =
  "SIGUSR1 prints one line that tells how far the work is. INT, TERM, HUP and the others that end a program remove " +
  "the temporary file, and then end fade as that signal. Those that are ignored when fade starts stay ignored; where " +
  "a shell or a service manager has SIGPIPE ignored, a reader that goes is an error with exit code 1. SIGKILL leaves " +
  "the temporary file, .NAME.N.fade-tmp, which the next run for the same output removes if the file system is local.";

function entry({ name, short, aliases, value, help, details, environment }: OptionSpec): string[] {
  const bold = (text: string) => `\\fB${roff(text)}\\fR`;
  const label = value ? value.label.replace(/[<>]/g, "") : "";
  const spelled =
    name === "level"
      ? [`${bold("-1")} ... ${bold("-9")}`, bold("--level")]
      : [...(short ? [bold(`-${short}`)] : []), ...(name === "help" ? [bold("-H")] : []), bold(`--${name}`)];
  const all = [...spelled, ...(aliases ?? []).map((alias) => bold(`--${alias}`))].join(", ");
  // "auto, gpu" and "fade bench" are to be typed, and stay as they are.
  const isLiteral = value?.choices?.includes(/^\w*/.exec(help)?.[0] ?? "") || help.startsWith("fade ");
  const text = [
    isLiteral ? `${help}.` : sentence(help),
    ...(details ? [details] : []),
    ...(environment ? [`Default: $${environment}.`] : []),
  ];
  return [".TP", `${all}${label && ` \\fI${roff(label)}\\fR`}`, roff(text.join(" "))];
}

function foreignEntry({ names, means, anyhow, instead }: ForeignOption): string[] {
  const spelled = names.map((name) => `\\fB${roff(`${name.length > 1 ? "--" : "-"}${name}`)}\\fR`).join(", ");
  if (means) return [".TP", spelled, roff(`The same as --${means.name}${means.value ? `=${means.value}` : ""}.`)];
  return [".TP", spelled, roff(anyhow ? `Does nothing: ${anyhow}.` : `Is not there: ${instead}.`)];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** A plain line for roff: dashes are dashes, and nothing at its start is a command. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1");
}
