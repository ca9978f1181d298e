/**
 * Small files beside other compressors: the first 1,000, 4,000, 20,000 and 100,000 bytes of files, by the built program
 * as it is called without options, and with --no-prior, by brotli -q 11, xz -9e and zstd --ultra -22. Every archive of
 * fade is decoded again.
 *
 *     bun scripts/compare-small.ts [--program FILE] [--sizes N,N…] [--each] FILE…
 *
 * --each also prints a table of the files: fade's size, the smallest of the three others', and which that is. Needs
 * brotli, xz and zstd, and bin/fade (npm run build).
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { FADE, grouped, headOf, optionsAndWords, row, run } from "./shared.ts";

const { values, positionals } = optionsAndWords({ program: FADE, sizes: "1000,4000,20000,100000", each: false });

const OTHERS: Readonly<Record<string, readonly string[]>> = {
  brotli: ["brotli", "-q", "11", "-w", "24", "-c"],
  xz: ["xz", "-9e", "-c"],
  zstd: ["zstd", "--ultra", "-22", "-q", "-c"],
};

/** What the program makes of it, which comes back. */
function fadeBytes(plain: Uint8Array, options: readonly string[]): number {
  const archive = run([values.program, ...options, "-c"], { stdin: plain }).stdout;
  const { stdout } = run([values.program, "-dc"], { stdin: archive });
  if (!stdout.equals(plain)) throw new Error("an archive came back as something else");
  return archive.length;
}

interface Sizes {
  readonly without: number;
  readonly fade: number;
  /** By OTHERS' names. */
  readonly others: Readonly<Record<string, number>>;
}

function measure(plain: Uint8Array): Sizes {
  const others = Object.entries(OTHERS).map(
    ([name, command]) => [name, run(command, { stdin: plain }).stdout.length] as const,
  );
  return {
    without: fadeBytes(plain, ["--no-prior"]),
    fade: fadeBytes(plain, []),
    others: Object.fromEntries(others),
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

/** A cell of a file: "fade, other (which)", and a mark where fade is not the smallest. */
function cell({ fade, others }: Sizes): string {
  const [which, best] = Object.entries(others).reduce((a, b) => (b[1] < a[1] ? b : a));
  return `${grouped(fade)}, ${grouped(best)} (${which})${fade < best ? "" : " **larger**"}`;
}

const sizes = values.sizes.split(",").map(Number);
const measured = positionals.map((path) => {
  const all = new Uint8Array(readFileSync(path));
  return { name: basename(path), bySize: sizes.map((size) => measure(all.subarray(0, size))) };
});
if (values.each) {
  console.log(headOf(["fade, the smallest of the others", ...sizes.map((size) => `first ${grouped(size)}`)]));
  for (const { name, bySize } of measured) console.log(row([name, ...bySize.map(cell)]));
  console.log();
}
console.log(headOf(["bytes of each", "files", "without a prior", "fade", ...Object.keys(OTHERS)]));
for (const [s, size] of sizes.entries()) {
  const all = measured.map(({ bySize }) => bySize[s] as Sizes);
  const others = Object.keys(OTHERS).map((name) => sum(all.map((each) => each.others[name] ?? 0)));
  const own = [sum(all.map(({ without }) => without)), sum(all.map(({ fade }) => fade))];
  console.log(row([grouped(size), all.length, ...[...own, ...others].map(grouped)]));
}
