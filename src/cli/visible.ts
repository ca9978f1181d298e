/**
 * File names may hold anything but NUL and the slash: line ends that forge a second message, escape sequences that
 * recolour or rename a terminal, marks that turn the reading direction. People get to see them as \x1b and the like.
 */

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Controls of ASCII and Latin-1, line separators, and marks of direction. */
function isHidden(code: number): boolean {
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  return (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/** `text` in one line without anything that acts on a terminal. */
export function visible(text: string): string {
  let shown = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    if (!isHidden(code)) shown += char;
    else shown += NAMED[char] ?? (code > 0xff ? `\\u${hex.padStart(4, "0")}` : `\\x${hex.padStart(2, "0")}`);
  }
  return shown;
}
