/** Adaptive maps: probabilities that move towards what came. */
import { COUNT_LIMIT } from "../../contract/mixer-numbers.ts";

const at = (array: { readonly [index: number]: number }, index: number) => array[index] as number;

/** A map's cell or a counter that has seen one bit more: a probability in Q22 above how many it has seen. */
export function learnt(cell: number, bit: number, reciprocals: Uint16Array): number {
  const p = cell >>> 10;
  const moved = p + (((((bit << 22) - p) >> 7) * at(reciprocals, cell & 1023)) >> 8);
  const q = Math.min(Math.max(moved, 64), (1 << 22) - 64);
  return (q << 10) | Math.min((cell & 1023) + 1, COUNT_LIMIT);
}

/** The refining map's value between the two nodes around log odds (Q8 from -2048). */
export function between(map: Uint16Array, row: number, odds: number): number {
  const part = odds & 127;
  return (at(map, row + (odds >> 7)) * (128 - part) + at(map, row + (odds >> 7) + 1) * part) >> 7;
}

/** Moves an entry by 2^-shift of its distance. */
export function towards(map: Uint16Array, index: number, target: number, shift: number): void {
  map[index] = at(map, index) + ((target - at(map, index)) >> shift);
}
