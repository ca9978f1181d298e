/**
 * Waiting for another thread: a short spin first, because a sleep and a wake cost 9 us and the other thread usually
 * needs less; then a sleep, because fade must not burn cores that the engine needs.
 */

/** Loads before sleeping: some microseconds. */
const SPINS = 1000;

/**
 * Returns when control[index] is no longer `value`, or after `limitMs`.
 *
 * @returns whether it changed
 */
export function waitWhile(control: Int32Array, index: number, value: number, limitMs = Infinity): boolean {
  for (let i = 0; i < SPINS; i += 1) {
    if (Atomics.load(control, index) !== value) return true;
  }
  // "not-equal" and "ok" both mean that it changed; nobody wakes a waiter without changing the value.
  return Atomics.wait(control, index, value, limitMs) !== "timed-out";
}
