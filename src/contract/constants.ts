/**
 * The contract's numbers by name, for kernels that are compiled with them: WGSL gets them as `const` lines in front of
 * each kernel (src/engine/gpu/kernel.ts), WebAssembly as src/engine/cpu/assembly/contract.ts, which
 * scripts/generate.ts writes. A number that a module below exports is there without being listed here.
 */

import * as contexts from "./contexts.ts";
import { CONTEXT_RECORD_PLACES, CONTEXT_RECORD_WORDS } from "./contexts.ts";
import * as fixed from "./fixed.ts";
import * as formats from "./formats.ts";
import * as frequency from "./frequency.ts";
import * as luts from "./luts.ts";
import * as optimizer from "./optimizer.ts";
import * as recall from "./recall.ts";

type Numbers = Readonly<Record<string, number | readonly number[]>>;

/** A module's numbers and lists of numbers; what it has beside them is code. */
export function numbersOf(module: Readonly<Record<string, unknown>>): Numbers {
  const isNumbers = (value: unknown): value is number | readonly number[] =>
    typeof value === "number" || (Array.isArray(value) && value.every((each) => typeof each === "number"));
  return Object.fromEntries(Object.entries(module).filter(([, value]) => isNumbers(value))) as Numbers;
}

/** "offsetCount" as OFFSET_COUNT, "lastNorm.out" as LAST_NORM_OUT. */
export const constantName = (name: string): string =>
  name
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replace(".", "_")
    .toUpperCase();

/** Where the fields of a plan's record stand, in words, and how long it is. */
export const PLAN_PLACES: Readonly<Record<string, number>> = {
  PLAN_RECORD: CONTEXT_RECORD_WORDS,
  ...Object.fromEntries(
    Object.entries(CONTEXT_RECORD_PLACES).map(([name, place]) => [`PLAN_${constantName(name)}`, place]),
  ),
};

/** Formats, look-up tables, the optimizer's and the recall stream's constants. */
export const CONTRACT_NUMBERS: Numbers = Object.assign(
  {},
  ...[fixed, formats, frequency, luts, optimizer, contexts, recall].map((module) => numbersOf(module)),
);

export const CONSTANTS: Numbers = { ...CONTRACT_NUMBERS, ...PLAN_PLACES };
