/** Numbers as people read them: sizes, ratios, speeds and times. */

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** A size in bytes with three significant digits: "0 B", "999 B", "1.23 MB". */
export function sizeText(bytes: number): string {
  let unit = 0;
  let value = bytes;
  // Rounded first, so that 999,999 is 1.00 MB and not 1000 kB.
  while (unit < UNITS.length - 1 && (unit === 0 ? value >= 1000 : Number(value.toPrecision(3)) >= 1000)) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : threeDigits(value)} ${UNITS[unit]}`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** How many times smaller: "3.71"; "-" where there is nothing to compare. */
export function ratioText(plainBytes: number, codedBytes: number): string {
  return plainBytes === 0 || codedBytes === 0 ? "-" : threeDigits(plainBytes / codedBytes);
}

export function percentText(part: number, whole: number): string {
  return whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)}%`;
}

/** A time span: exact seconds below two minutes, then minutes, then hours. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = seconds / 3600;
  return hours < 48 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} days`;
}
