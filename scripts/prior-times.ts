/**
 * What priors cost in time: of starts, a file of 1,000 bytes without a prior, behind a built-in one, and behind one of
 * one's own, compressed and restored; of large files, cuts of 1,000,000 bytes with and without --no-prior, which should
 * be the same size.
 *
 *     bun scripts/prior-times.ts [--program FILE] [--against FILE] [--turns N] [--prior FILE] [--levels 1,5,9]
 *         [--small FILE] [FILE…]
 *
 * Everything runs in turns, forth and back, so that other programs disturb all alike; medians and the least are printed
 * of the wall's time and of the processors', user and system. --prior is a prior made by --train, --small what the
 * starts compress (its first 1,000 bytes), at the default level or at --levels, --against another build, which goes
 * along (the same tells what is chance).
 */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    program: { type: "string", default: join(import.meta.dir, "..", "bin", "fade") },
    against: { type: "string" },
    turns: { type: "string", default: "15" },
    prior: { type: "string" },
    levels: { type: "string" },
    small: { type: "string" },
  },
});
const SMALL_BYTES = 1000;
const LARGE_BYTES = 1_000_000;
const programs = [values.program, ...(values.against === undefined ? [] : [values.against])];

/** A command, and what it reads. */
interface Job {
  readonly command: readonly string[];
  readonly stdin: Uint8Array;
}

interface Run {
  readonly wallMs: number;
  readonly processorMs: number;
  readonly bytes: number;
}

interface Turns {
  readonly median: Run;
  readonly least: Run;
}

function run({ command, stdin }: Job): Run {
  const beganAtMs = performance.now();
  const { stdout, exitCode, stderr, resourceUsage } = Bun.spawnSync([...command], { stdin });
  const wallMs = performance.now() - beganAtMs;
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: exit code ${exitCode}: ${stderr.toString()}`);
  return { wallMs, processorMs: Number(resourceUsage?.cpuTime.total ?? 0) / 1000, bytes: stdout.length };
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;

/** Each job so many times, in turns. @returns what they took, in the order of the jobs */
function inTurns(jobs: readonly Job[], turns: number): Turns[] {
  const runs: Run[][] = jobs.map(() => []);
  const forth = jobs.map((_, i) => i);
  // Every second turn goes back: none has always the same one before it.
  for (let turn = 0; turn < turns; turn++) {
    const order = turn % 2 === 0 ? forth : forth.toReversed();
    for (const i of order) runs[i]?.push(run(jobs[i] as Job));
  }
  const of = (all: readonly Run[], pick: (numbers: readonly number[]) => number): Run => ({
    wallMs: pick(all.map(({ wallMs }) => wallMs)),
    processorMs: pick(all.map(({ processorMs }) => processorMs)),
    bytes: all[0]?.bytes ?? 0,
  });
  return runs.map((all) => ({ median: of(all, median), least: of(all, (numbers) => Math.min(...numbers)) }));
}

const ms = (time: number) => `${Math.round(time)}`;
const share = (time: number, than: number) => `${((time / than - 1) * 100).toFixed(1)} %`;

if (values.small !== undefined) {
  const plain = new Uint8Array(readFileSync(values.small)).subarray(0, SMALL_BYTES);
  const levels = values.levels?.split(",").map((level) => [`-${level}`]) ?? [[]];
  const behind = values.prior === undefined ? [] : [["-D", values.prior]];
  const variants = [["--no-prior"], [], ...behind];
  const groups = programs.flatMap((program) => levels.map((level) => [program, ...level]));
  const packing = groups.map((group) =>
    variants.map((options): Job => ({ command: [...group, ...options, "-c"], stdin: plain })),
  );
  // An archive says itself which level it has, and which prior of the program's own.
  const restoring = packing.map((jobs) =>
    jobs.map(({ command, stdin }, variant): Job => {
      const archive = new Uint8Array(Bun.spawnSync([...command], { stdin }).stdout);
      return { command: [command[0] as string, ...(variant === 2 ? behind.flat() : []), "-d", "-c"], stdin: archive };
    }),
  );
  const jobs = [...packing, ...restoring].flat();
  const measured = inTurns(jobs, Number(values.turns));
  console.log("| start: median, least | bytes | wall, ms | | more | | processors, ms | | more | |");
  console.log("|---|---|---|---|---|---|---|---|---|---|");
  for (const [i, { median: one, least }] of measured.entries()) {
    const without = measured[i - (i % variants.length)] as Turns;
    const cells = (time: (run: Run) => number) => [
      ...[one, least].map((run) => ms(time(run))),
      ...[time(one) - time(without.median), time(least) - time(without.least)].map(ms),
    ];
    const name = (jobs[i] as Job).command.slice(0, -1).join(" ");
    const all = [...cells(({ wallMs }) => wallMs), ...cells(({ processorMs }) => processorMs)];
    console.log(`| ${name} | ${one.bytes} | ${all.join(" | ")} |`);
  }
}
if (positionals.length > 0) {
  console.log("\n| first 1,000,000 bytes of | --no-prior | | processors, ms | | median | | | least |");
  console.log("|---|---|---|---|---|---|---|---|---|");
}
for (const path of positionals) {
  const plain = new Uint8Array(readFileSync(path)).subarray(0, LARGE_BYTES);
  const commands = programs.flatMap((program) => [
    [program, "--no-prior", "-c"],
    [program, "-c"],
  ]);
  const measured = inTurns(
    commands.map((command) => ({ command, stdin: plain })),
    Number(values.turns),
  );
  const [without, first] = measured as [Turns, Turns, ...Turns[]];
  const all = measured.slice(1);
  const cells = (of: "median" | "least") => [
    ...[without, ...all].map((each) => ms(each[of].processorMs)),
    all.map((each) => share(each[of].processorMs, without[of].processorMs)).join(", "),
  ];
  const bytes = [without, first].map((each) => each.median.bytes.toLocaleString("en"));
  console.log(`| ${basename(path)} | ${[...bytes, ...cells("median"), ...cells("least")].join(" | ")} |`);
}
