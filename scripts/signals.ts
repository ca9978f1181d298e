/**
 * Sends signals at random moments to work that keeps the program busy, and measures how soon it ends:
 *
 *     bun scripts/signals.ts [--moments 60] [--limit-ms 1000] [--seconds 8] [--cases paper,wide,…|all]
 *         [--program bin/fade] [--nice=-5]
 *
 * Prints a table: the work, the signal, the moment and the answer in ms, what ended the program, what was left behind.
 * Fails if an answer took longer than the limit, if another signal than the one that was sent ended the program, or if
 * anything was left. On a machine that does other things, too, look at the load, which is printed; a niceness below 0
 * (as root) gives the program its share.
 */
import { rmSync } from "node:fs";
import { loadavg } from "node:os";
import { resolve } from "node:path";
import { answerOf, CASES, prepareFolder } from "../test/support/answers.ts";
import { FADE, optionsOf } from "./shared.ts";

const values = optionsOf(
  { moments: 60, "limit-ms": 1000, seconds: 8, cases: "paper,wide,zerosTested,zeros,repeats", program: FADE },
  ["nice"],
);

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGXFSZ"] as const;
/** Earlier the program has not begun. */
const FIRST_MS = 100;
const ZEROS_BYTES = 2 ** 30;
const HANG_MS = 120_000;
const limitMs = values["limit-ms"];
const keys = Object.keys(CASES) as (keyof typeof CASES)[];
const wanted = values.cases === "all" ? keys : keys.filter((key) => values.cases.split(",").includes(key));
const program = [...(values.nice === undefined ? [] : ["nice", "-n", values.nice]), resolve(values.program)];

const folder = prepareFolder(ZEROS_BYTES);
let longestMs = 0;
let faults = 0;
try {
  console.log(["work", "signal", "moment", "answer", "ended by", "left", "load"].join("\t"));
  for (let moment = 0; moment < values.moments; moment += 1) {
    const work = CASES[wanted[moment % wanted.length] as keyof typeof CASES];
    const signal = SIGNALS[moment % SIGNALS.length] as (typeof SIGNALS)[number];
    const afterMs = FIRST_MS + Math.random() * (1000 * values.seconds - FIRST_MS);
    const { answerMs, ended, left } = await answerOf(work, { program, folder, signal, afterMs, hangMs: HANG_MS });
    // Work that was over before the signal came shows nothing, and its output may stay.
    const isOver = ended === "code 0";
    const isFault = !isOver && (answerMs > limitMs || ended !== signal || left.length > 0);
    if (!isOver) longestMs = Math.max(longestMs, answerMs);
    if (isFault) faults += 1;
    const cells = [work.name, signal, afterMs.toFixed(0), answerMs.toFixed(0), ended, left.join(" ") || "nothing"];
    console.log([...cells, loadavg()[0]?.toFixed(1), ...(isFault ? ["FAULT"] : [])].join("\t"));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(
  `${wanted.length} kinds of work, ${values.moments} moments: the longest answer took ${longestMs.toFixed(0)} ms`,
);
console.log(`${faults} faults (limit ${limitMs} ms)`);
process.exit(faults > 0 ? 1 : 0);
