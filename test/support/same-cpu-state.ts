/** What the CPU engine holds against what the reference has, with ==, and where the first difference is. */
import type { RecallMemory } from "../../src/engine/cpu/recall-layout.ts";
import type { ReferenceModel } from "../../src/engine/reference/engine.ts";

type CpuModel = import("../../src/engine/cpu/engine.ts").CpuModel;

/** @throws Error pointing at the first difference: a diff of whole arrays is unreadable */
export function expectEqual(found: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  for (let i = 0; i < wanted.length; i++) {
    if (found[i] !== wanted[i]) throw new Error(`${what}[${i}] is ${found[i]}, the reference has ${wanted[i]}`);
  }
}

export function expectSameMemory(mine: RecallMemory, wanted: RecallMemory, what: string): void {
  for (const name of ["slots", "boosts", "word", "previousWord", "past"] as const) {
    if (mine[name].length !== wanted[name].length) throw new Error(`${what}${mine[name].length} ${name}`);
    expectEqual(mine[name], wanted[name], `${what}${name}`);
  }
  if (mine.tables.length !== wanted.tables.length) throw new Error(`${what}${mine.tables.length} tables`);
  for (const [m, table] of mine.tables.entries()) {
    expectEqual(table, wanted.tables[m] as Int32Array, `${what}table ${m}`);
  }
}

/** Weights, moments, exponents, the cache, and all that the recall stream remembers. */
export function expectSameCpuState(
  seen: ReturnType<CpuModel["inspect"]>,
  { state }: ReferenceModel,
  what: string,
): void {
  const { at, buffer, exponents, gradientScales } = seen;
  for (const name of ["shift", "copyShift", "held"] as const) {
    expectEqual(exponents[name], state.exponents[name], `${what}${name}`);
  }
  for (const name of ["scale", "moved", "window"] as const) {
    expectEqual(gradientScales[name], state.gradientScales[name], `${what}${name}`);
  }
  for (const name of ["master", "moment", "square"] as const) expectEqual(seen[name], state[name], `${what}${name}`);
  expectEqual(new Int16Array(buffer, at.activations.ring, state.cache.length), state.cache, `${what}cache`);
  expectSameMemory(seen, state.recall, what);
}
