/**
 * Counters beside the histories of some contexts: how often a node has been 1, which histories forget, as a
 * probability whose rate falls with what it has seen.
 */
import { counted, counters, LINES_AT, lines, RECIPROCALS, STRETCH } from "./state";

const COUNT_LIMIT: u32 = 255;
/** A counter of which nothing is known: 1/2 in Q22 above a count of 0. */
const HALF: u32 = 0x80000000;

/** Where the node's counter of context i lies. */
// @ts-ignore: decorator
@inline
function counterOf(i: u32, node: u32): usize {
  return counters + ((<usize>load<u32>(LINES_AT + i * 4) - lines) << 2) + (node << 2);
}

/** The inputs of counters; 0 of one that has seen nothing. */
// @ts-ignore: decorator
@inline
export function gatherCounters(x: usize, node: u32): void {
  for (let i: u32 = 0; i < counted; i++) {
    const cell = load<u32>(counterOf(i, node));
    store<i16>(x + i * 2, cell == 0 ? 0 : load<i16>(STRETCH + ((cell >> 20) << 1)));
  }
}

/** A cell of a map, or a counter, that has seen one bit more: a probability in Q22 above how many it has seen. */
// @ts-ignore: decorator
@inline
export function learnt(cell: u32, target: i32): u32 {
  const n = cell & 1023;
  const p = <i32>(cell >> 10);
  const moved = p + ((((target - p) >> 7) * <i32>load<u16>(RECIPROCALS + n * 2)) >> 8);
  const q = min(max(moved, 64), (1 << 22) - 64);
  return (<u32>q << 10) | min(n + 1, COUNT_LIMIT);
}

/** The counters of a node learn a bit. */
// @ts-ignore: decorator
@inline
export function learnCounters(bit: u32, node: u32): void {
  const target = <i32>bit << 22;
  for (let i: u32 = 0; i < counted; i++) {
    const at = counterOf(i, node);
    const cell = load<u32>(at);
    store<u32>(at, learnt(cell == 0 ? HALF : cell, target));
  }
}
