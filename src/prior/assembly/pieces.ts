/**
 * Pieces of five bytes, by their hashes: which priors' strings have those of an input. A quarter of a million of them
 * are entered in a table at a program's first short input.
 */
import { CODE } from "./bits";

const SLOT_BITS: u32 = 20;
/** Of a place whose five bytes are all the same, which says nothing. */
const NOTHING: u8 = 255;

/** The slot of the five bytes that end at `end`, or -1 if they are all the same. */
// @ts-ignore: decorator
@inline
function slotAt(end: usize): i32 {
  const low = bswap(load<u32>(end - 3));
  const first: u32 = load<u8>(end - 4);
  if (low == first * 0x01010101) return -1;
  const hash = (low ^ ((first + 1) * 0x85ebca6b)) * 0x9e3779b1;
  return (hash ^ (hash >>> 15)) >>> (32 - SLOT_BITS);
}

/** Enters all pieces of so many strings of equal length, which begin at codeAddress: the first with 1, then 2, 4, … */
export function enterPieces(count: u32, size: u32, table: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const from = CODE + <usize>i * size;
    const bit: u32 = 1 << i;
    for (let end = from + 4; end < from + size; end++) {
      const slot = slotAt(end);
      if (slot < 0) continue;
      const known: u32 = load<u8>(table + slot);
      store<u8>(table + slot, known | bit);
    }
  }
}

/** For each piece of an input, by where it ends: which strings have it, or NOTHING; there, for the first four, too. */
export function lookUpPieces(at: usize, size: u32, table: usize, found: usize): void {
  memory.fill(found, NOTHING, min(size, 4));
  for (let end: u32 = 4; end < size; end++) {
    const slot = slotAt(at + end);
    store<u8>(found + end, slot < 0 ? NOTHING : load<u8>(table + slot));
  }
}
