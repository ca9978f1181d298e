/**
 * What priors cost in time: of starts, a file of 1,000 bytes without a prior, behind a built-in one, and behind one of
 * one's own; of large files, cuts of 1,000,000 bytes with and without --no-prior, which should be the same size.
 *
 *     bun scripts/prior-times.ts [--program FILE] [--against FILE] [--turns N] [--prior FILE] [--small FILE] [FILE…]
 *
 * Everything runs in turns, so that other programs disturb all alike; medians are printed of the wall's time and of the
 * processors', user and system. --prior is a prior made by --train, --small what the starts compress (its first 1,000
 * bytes), --against another build, which goes along.
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
    small: { type: "string" },
  },
});
const SMALL_BYTES = 1000;
const LARGE_BYTES = 1_000_000;
const programs = [values.program, ...(values.against === undefined ? [] : [values.against])];

interface Run {
  readonly wallMs: number;
  readonly processorMs: number;
  readonly bytes: number;
}

function run(command: readonly string[], stdin: Uint8Array): Run {
  const beganAtMs = performance.now();
  const { stdout, exitCode, stderr, resourceUsage } = Bun.spawnSync([...command], { stdin });
  const wallMs = performance.now() - beganAtMs;
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: exit code ${exitCode}: ${stderr.toString()}`);
  return { wallMs, processorMs: Number(resourceUsage?.cpuTime.total ?? 0) / 1000, bytes: stdout.length };
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;

/** Each command so many times, in turns. @returns medians, in the order of the commands */
function inTurns(commands: readonly (readonly string[])[], stdin: Uint8Array, turns: number): Run[] {
  const runs: Run[][] = commands.map(() => []);
  for (let turn = 0; turn < turns; turn++) {
    for (const [i, command] of commands.entries()) runs[i]?.push(run(command, stdin));
  }
  return runs.map((all) => ({
    wallMs: median(all.map(({ wallMs }) => wallMs)),
    processorMs: median(all.map(({ processorMs }) => processorMs)),
    bytes: all[0]?.bytes ?? 0,
  }));
}

const ms = (time: number) => `${Math.round(time)}`;
const share = (time: number, than: number) => `${((time / than - 1) * 100).toFixed(1)} %`;

if (values.small !== undefined) {
  const plain = new Uint8Array(readFileSync(values.small)).subarray(0, SMALL_BYTES);
  const variants = [["--no-prior"], [], ...(values.prior === undefined ? [] : [["-D", values.prior]])];
  const commands = programs.flatMap((program) => variants.map((options) => [program, ...options, "-c"]));
  const medians = inTurns(commands, plain, Number(values.turns));
  console.log("| start | bytes | wall, ms | more | processors, ms | more |");
  console.log("|---|---|---|---|---|---|");
  for (const [i, { wallMs, processorMs, bytes }] of medians.entries()) {
    const without = medians[i - (i % variants.length)] as Run;
    const more = [wallMs - without.wallMs, processorMs - without.processorMs].map(ms);
    const name = (commands[i] as string[]).slice(0, -1).join(" ");
    console.log(`| ${name} | ${bytes} | ${ms(wallMs)} | ${more[0]} | ${ms(processorMs)} | ${more[1]} |`);
  }
}
if (positionals.length > 0) {
  console.log("\n| first 1,000,000 bytes of | --no-prior | | processors, ms | | difference |");
  console.log("|---|---|---|---|---|---|");
}
for (const path of positionals) {
  const plain = new Uint8Array(readFileSync(path)).subarray(0, LARGE_BYTES);
  const commands = programs.flatMap((program) => [
    [program, "--no-prior", "-c"],
    [program, "-c"],
  ]);
  const medians = inTurns(commands, plain, Number(values.turns));
  const [without, first, ...others] = medians as [Run, Run, ...Run[]];
  const all = [first, ...others];
  const cells = [
    ...[without, first].map(({ bytes }) => bytes.toLocaleString("en")),
    ...[without, ...all].map(({ processorMs }) => ms(processorMs)),
    all.map((each) => share(each.processorMs, without.processorMs)).join(", "),
  ];
  console.log(`| ${basename(path)} | ${cells.join(" | ")} |`);
}
