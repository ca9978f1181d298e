/** Numbers as the report writes them. */

const PREFIXES = ["", "k", "M", "G", "T", "P"];

/** Three digits with a prefix of thousands: 1.23 M. */
export function short(value: number, unit = ""): string {
  let scaled = value;
  let prefix = 0;
  while (prefix < PREFIXES.length - 1 && Number(scaled.toPrecision(3)) >= 1000) {
    scaled /= 1000;
    prefix += 1;
  }
  const figure = scaled >= 100 || scaled === 0 ? scaled.toFixed(0) : scaled.toPrecision(3);
  return `${figure} ${PREFIXES[prefix]}${unit}`.trimEnd();
}

/** A tick of a logarithmic axis: 1, 10, 100 with a prefix; below one as it is. */
export function power(value: number, unit = ""): string {
  if (value < 1) return `${value} ${unit}`.trimEnd();
  const group = Math.min(PREFIXES.length - 1, Math.floor(Math.round(Math.log10(value)) / 3));
  return `${Math.round(value / 1000 ** group)} ${PREFIXES[group]}${unit}`.trimEnd();
}

export function duration(microseconds: number): string {
  if (microseconds === 0) return "0";
  if (microseconds >= 1e6) return `${(microseconds / 1e6).toPrecision(3)} s`;
  return shortTime(microseconds);
}

/** Microseconds up to a thousand, then milliseconds. */
export function shortTime(microseconds: number): string {
  const isLong = microseconds >= 1000;
  const value = isLong ? microseconds / 1000 : microseconds;
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${isLong ? "ms" : "µs"}`;
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.replace(/[/\\]+$/, "").replace(/^.*[/\\]/, "");
}
