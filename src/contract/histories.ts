/**
 * Bit histories: what a node has seen, in a byte. A state is (zeros, ones, last bit), both counts bounded and thinned;
 * state 0 has seen nothing. The table is made, not written down, by the rules below, and every engine gets it as data.
 */

/** Counts that a state can hold; a count goes up to the next. */
const COUNTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128];
/** The larger count's limit, by the smaller count. */
const LIMITS = [128, 64, 24, 12, 8, 6, 5];

export interface Histories {
  readonly count: number;
  /** [state][bit]. */
  readonly next: Uint8Array;
  /** Zeros and ones that a state has seen, up to 255. */
  readonly total: Uint8Array;
  /** Of these, ones; and the last bit. */
  readonly ones: Uint8Array;
  readonly last: Uint8Array;
  /** Probability of a 1 before anything is known, Q22. */
  readonly initial: Int32Array;
}

interface State {
  readonly zeros: number;
  readonly ones: number;
  readonly last: number;
}

const allowed = (a: number, b: number) => Math.max(a, b) <= (LIMITS[Math.min(a, b)] ?? -1);
const above = (n: number) => COUNTS.find((count) => count > n) ?? n;
const atMost = (n: number) => COUNTS.reduce((best, count) => (count <= n ? count : best), 0);

/** The count of the bit that did not come: what was certain is forgotten fast. */
function worn(n: number): number {
  if (n <= 2) return n;
  const kept = n > 25 ? 5 : n > 7 ? 4 : n > 4 ? 3 : n;
  return kept > 3 ? kept - 1 : kept;
}

function after({ zeros, ones }: State, bit: number): State {
  let a = bit === 0 ? above(zeros) : worn(zeros);
  let b = bit === 1 ? above(ones) : worn(ones);
  while (!allowed(a, b)) {
    if (a > b) a = atMost(a - 1);
    else b = atMost(b - 1);
  }
  return { zeros: a, ones: b, last: bit };
}

let made: Histories | undefined;

/** States are numbered as they are reached from state 0, zeros first. Made once: for reading alone. */
export function histories(): Histories {
  made ??= makeHistories();
  return made;
}

function makeHistories(): Histories {
  const states: State[] = [{ zeros: 0, ones: 0, last: 0 }];
  const numbers = new Map([["0 0 0", 0]]);
  const next: number[] = [];
  for (let s = 0; s < states.length; s++) {
    for (const bit of [0, 1]) {
      const state = after(states[s] as State, bit);
      const name = `${state.zeros} ${state.ones} ${state.last}`;
      if (!numbers.has(name)) numbers.set(name, states.push(state) - 1);
      next.push(numbers.get(name) as number);
    }
  }
  const initial = states.map(({ zeros, ones }) =>
    Math.floor(((5 * ones + 2) * ((1 << 22) - 1)) / (5 * (zeros + ones) + 4)),
  );
  return {
    count: states.length,
    next: Uint8Array.from(next),
    total: Uint8Array.from(states, ({ zeros, ones }) => zeros + ones),
    ones: Uint8Array.from(states, ({ ones }) => ones),
    last: Uint8Array.from(states, ({ last }) => last),
    initial: Int32Array.from(initial),
  };
}
