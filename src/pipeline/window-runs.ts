/**
 * Runs of windows that are read in one way: how sound and tables are proposed. A run goes on over a few windows that
 * say nothing, or the opposite.
 */
import type { Range } from "../repeats/spare.ts";

export const WINDOW_BYTES = 2 ** 13;
/** Shorter runs have little to gain. */
const RUN_BYTES_MIN = 2 ** 14;
/** Windows that say nothing, or the opposite, in the middle of a run. */
const GAP_WINDOWS_MAX = 4;

/** What is known of a window. */
export interface WindowReadings<Reading> {
  /** Whether this may be more of a run that is read so. */
  goesOn(reading: Reading): boolean;
  /** How it is best read, if it may begin a run. */
  best(): Reading | undefined;
}

interface WindowRun<Reading> extends Range {
  readonly reading: Reading;
}

/** The runs of all whole windows, in order. @param viewOf looks at the window that begins at `start` */
export function windowRuns<Reading>(
  bytes: Uint8Array,
  viewOf: (start: number) => WindowReadings<Reading>,
): WindowRun<Reading>[] {
  const found: WindowRun<Reading>[] = [];
  let run: { reading: Reading; start: number; end: number } | undefined;
  const close = () => {
    if (run && run.end - run.start >= RUN_BYTES_MIN) found.push(run);
    run = undefined;
  };
  for (let start = 0; start + WINDOW_BYTES <= bytes.length; start += WINDOW_BYTES) {
    const window = viewOf(start);
    if (run && start - run.end > GAP_WINDOWS_MAX * WINDOW_BYTES) close();
    if (run && window.goesOn(run.reading)) {
      run.end = start + WINDOW_BYTES;
      continue;
    }
    const reading = window.best();
    if (reading === undefined || (run && reading === run.reading)) continue;
    close();
    run = { reading, start, end: start + WINDOW_BYTES };
  }
  // What is left behind the last window is too short to ask.
  if (run && bytes.length - run.end < WINDOW_BYTES) run.end = bytes.length;
  close();
  return found;
}

/** The first number at or behind `start`, of numbers that begin at `phase` within their width. */
export function firstAt(start: number, phase: number, width: number): number {
  return start + ((phase - (start % width) + width) % width);
}
