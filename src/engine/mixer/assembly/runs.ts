/**
 * Runs: what a context was followed by the last times, in a row. Of a byte, a run takes part in each bit until one is
 * not as it expects; a list of those that still do is shorter than all contexts, and it ends earlier.
 */
import {
  contexts,
  GOING,
  INPUTS,
  LINES_AT,
  lines,
  RUN_AT,
  RUN_BYTES,
  RUN_CELLS,
  RUN_CLASSES,
  RUN_MAP,
  runs,
  STRETCH,
} from "./state";

const RUN_MAX: u32 = 255;

/** Bytes of the list of contexts whose runs have been right so far. */
let going: u32 = 0;

// @ts-ignore: decorator
@inline
export function stretched(p: i32): i32 {
  return load<i16>(STRETCH + ((p >> 4) << 1));
}

// @ts-ignore: decorator
@inline
export function towards(at: usize, target: i32, shift: i32): void {
  const p: i32 = load<u16>(at);
  store<u16>(at, p + ((target - p) >> shift));
}

/** The runs of the lines that were found: each a byte, and how often above it. */
export function findRuns(): void {
  going = 0;
  for (let i: u32 = 0; i < contexts; i++) {
    const at = runs + ((load<u32>(LINES_AT + i * 4) - lines) >> 3);
    const run: u32 = load<u16>(at);
    const length = min(run >> 8, RUN_CLASSES);
    store<u32>(RUN_AT + i * 4, at);
    store<u32>(RUN_BYTES + i * 4, run);
    store<u32>(RUN_CELLS + i * 4, RUN_MAP + (i * RUN_CLASSES + length - 1) * 2);
    store<u16>(INPUTS + i * 4, 0, 2);
    store<u32>(GOING + going, i * 4);
    if (length > 0) going += 4;
  }
}

/** No run takes part in this byte. */
export function dropRuns(): void {
  going = 0;
}

/** Inputs of the runs that take part in bit k; those of all others are 0 already. */
// @ts-ignore: decorator
@inline
export function gatherRuns(k: u32): void {
  for (let j: u32 = 0; j < going; j += 4) {
    const at = load<u32>(GOING + j);
    const odds = stretched(load<u16>(load<u32>(RUN_CELLS + at)));
    store<i16>(INPUTS + at, (load<u32>(RUN_BYTES + at) >> (7 - k)) & 1 ? odds : -odds, 2);
  }
}

/** What these are worth. One that was wrong is done with for the rest of the byte. */
// @ts-ignore: decorator
@inline
export function learnRuns(bit: u32, k: u32): void {
  let left: u32 = 0;
  for (let j: u32 = 0; j < going; j += 4) {
    const at = load<u32>(GOING + j);
    const isRight = ((load<u32>(RUN_BYTES + at) >> (7 - k)) & 1) == bit;
    towards(load<u32>(RUN_CELLS + at), isRight ? 65535 : 0, 7);
    store<u32>(GOING + left, at);
    if (isRight) left += 4;
    else store<u16>(INPUTS + at, 0, 2);
  }
  going = left;
}

/** What followed a line's context, and how often in a row. */
// @ts-ignore: decorator
@inline
export function followRun(at: usize, y: u32): void {
  const run: u32 = load<u16>(at);
  // Nobody foresees whether it goes on: without a branch. A run of RUN_MAX stays as it is.
  const goesOn = u32(run != 0) & u32((run & 255) == y);
  const longer = run + (u32(run >> 8 < RUN_MAX) << 8);
  store<u16>(at, select<u32>(longer, 256 | y, goesOn != 0));
}

export function followRuns(y: u32): void {
  for (let i: u32 = 0; i < contexts; i++) followRun(load<u32>(RUN_AT + i * 4), y);
}
