/**
 * How the threads of one model meet: a command to all, and a barrier inside it.
 *
 * The caller's thread is thread 0 and works like the others. A short spin comes before sleeping, because a step has
 * three meetings and a wake-up costs 9 to 60 us.
 */

/** Indices in the control words. */
export const Control = {
  /** Rises by one with each command. */
  COMMAND_COUNT: 0,
  COMMAND: 1,
  STEPS: 2,
  ARRIVED: 16,
  GENERATION: 32,
  FAILED: 48,
} as const;

/** Words are spread over cache lines: spinning on one must not slow the others down. */
export const CONTROL_WORDS = 64;

/** What all threads do next. */
export const Command = {
  /** `STEPS` known steps: predict, take intervals, learn. */
  ENCODE: 1,
  /** The frequency tables of the next step. */
  PREDICT: 2,
  /** Train on the bytes that came. */
  LEARN: 3,
  CLOSE: 4,
  /** Back to the state before the first step, for the next model. STEPS is 1 if that must be made, 0 if it was kept. */
  REWIND: 5,
} as const;

/** Loads before sleeping: some tens of microseconds, as long as an uneven share of a step. */
const SPINS = 20_000;
/** A sleeper looks for failed colleagues that often. */
const SLEEP_MS = 200;
/** So many sleeps at a meeting (ten minutes), and a colleague is taken for dead: no step of any model takes as long. */
const MEETING_SLEEPS_MAX = 3000;

/** A thread of the CPU engine died; the model cannot go on. */
export class CpuThreadError extends Error {
  constructor(detail: string) {
    super(`a thread of the CPU engine failed: ${detail}`);
    this.name = "CpuThreadError";
  }
}

/**
 * Returns when control[index] is no longer `value`. @throws CpuThreadError if another thread has failed, or after
 * `sleepsMax` sleeps
 *
 * A wake-up proves nothing: whoever changed the value before may notify only now, when this thread already waits for
 * the next change. So the value is looked at again each time.
 */
export function waitForChange(control: Int32Array, index: number, value: number, sleepsMax = Infinity): void {
  for (let i = 0; i < SPINS; i++) {
    if (Atomics.load(control, index) !== value) return;
  }
  for (let sleeps = 0; Atomics.load(control, index) === value; ) {
    if (Atomics.wait(control, index, value, SLEEP_MS) === "timed-out") sleeps++;
    if (Atomics.load(control, Control.FAILED) !== 0) throw new CpuThreadError("see its own message");
    if (sleeps > sleepsMax) throw new CpuThreadError("it does not answer any more");
  }
}

/** Returns when all threads have called it. What each wrote before is then visible to all. */
export function meet(control: Int32Array, threads: number): void {
  if (threads === 1) return;
  const generation = Atomics.load(control, Control.GENERATION);
  if (Atomics.add(control, Control.ARRIVED, 1) === threads - 1) {
    Atomics.store(control, Control.ARRIVED, 0);
    Atomics.add(control, Control.GENERATION, 1);
    Atomics.notify(control, Control.GENERATION);
  } else {
    waitForChange(control, Control.GENERATION, generation, MEETING_SLEEPS_MAX);
  }
}

/** The part of `count` things that thread `index` of `threads` has: [from, to). */
export function share(count: number, index: number, threads: number): readonly [from: number, to: number] {
  return [Math.floor((count * index) / threads), Math.floor((count * (index + 1)) / threads)];
}
