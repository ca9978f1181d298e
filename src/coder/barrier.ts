/**
 * Waiting for another thread: a short spin first, because a sleep and a wake cost 9 to 60 us and the other
 * thread often needs less; then a sleep, because fade must not burn cores that the engine needs.
 */

/** Loads before sleeping: about 20 us, so that threads with equal shares seldom sleep on each other. */
const SPINS = 10_000;

/**
 * Returns when control[index] is no longer `value`, or when nothing has happened for `limitMs`.
 *
 * @returns whether it changed
 */
export function waitWhile(control: Int32Array, index: number, value: number, limitMs = Infinity): boolean {
  for (let i = 0; i < SPINS; i += 1) {
    if (Atomics.load(control, index) !== value) return true;
  }
  // Being woken proves nothing: the call may be for a change that the spin saw, come late from a thread that was
  // interrupted between changing the value and waking its waiters. Believing it ran a step twice.
  for (;;) {
    const outcome = Atomics.wait(control, index, value, limitMs);
    if (Atomics.load(control, index) !== value) return true;
    if (outcome === "timed-out") return false;
  }
}
