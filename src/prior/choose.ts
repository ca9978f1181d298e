/**
 * Which built-in prior suits an input: the one whose content has most of the pieces that the input begins with. That is
 * a count, not a trial: it takes a few milliseconds, and is right nearly always where it matters (docs/PRIORS.md).
 */
import { BUILT_IN_COUNT, builtInFile, PRESENT_FIRST } from "./built-in.ts";
import { contentOfFile } from "./file.ts";

const SLOT_BITS = 20;
/** Bytes of a prior's content that are looked at: its last ones, which are worth most; today, all. */
const CONTENT_BYTES = 40_960;
/** What is looked at of an input: so many bytes, at so many places all over it. */
const LOOKED_BYTES = 2048;
const PLACES_MAX = 4;
/** A prior must know one piece in so many: of chance, each takes every twenty-fifth slot. */
const KNOWN_SHARE = 7;

const COUNT = BUILT_IN_COUNT + 1 - PRESENT_FIRST;
/** What a piece is worth, shared by the priors that know it and one that may: divides by up to seven. */
const SHARED_VALUE = 420;

/** For each piece's hash: a bit for every prior whose content has it. */
let slots: Uint8Array | undefined;

/** The slot of five bytes that end at `end`, or -1 if they are all the same, which says nothing. */
function slotAt(bytes: Uint8Array, end: number): number {
  const last = bytes[end] as number;
  const [b1, b2, b3, b4] = [bytes[end - 1], bytes[end - 2], bytes[end - 3], bytes[end - 4]] as [
    number,
    number,
    number,
    number,
  ];
  if (last === b1 && last === b2 && last === b3 && last === b4) return -1;
  const low = last | (b1 << 8) | (b2 << 16) | (b3 << 24);
  const hash = Math.imul(low ^ Math.imul(b4 + 1, 0x85ebca6b), 0x9e3779b1);
  return (hash ^ (hash >>> 15)) >>> (32 - SLOT_BITS);
}

function slotsOfPriors(): Uint8Array {
  if (slots) return slots;
  const made = new Uint8Array(1 << SLOT_BITS);
  for (let number = PRESENT_FIRST; number <= BUILT_IN_COUNT; number++) {
    const bit = 1 << (number - PRESENT_FIRST);
    const content = contentOfFile(builtInFile(number));
    for (let end = Math.max(4, content.length - CONTENT_BYTES); end < content.length; end++) {
      const slot = slotAt(content, end);
      if (slot >= 0) made[slot] = (made[slot] as number) | bit;
    }
  }
  slots = made;
  return made;
}

interface Knowledge {
  /** Of the pieces looked at, those that each prior knows, by number - PRESENT_FIRST. */
  readonly known: readonly number[];
  /** The same, where a piece that several priors know counts for each of them less: they share SHARED_VALUE. */
  readonly values: readonly number[];
  readonly pieces: number;
}

export function knownPieces(input: Uint8Array): Knowledge {
  const table = slotsOfPriors();
  const known = Array<number>(COUNT).fill(0);
  const values = Array<number>(COUNT).fill(0);
  let pieces = 0;
  const places = Math.max(1, Math.min(PLACES_MAX, Math.floor(input.length / LOOKED_BYTES)));
  const step = Math.floor(input.length / places);
  for (let place = 0; place < places; place++) {
    const from = place * step;
    const to = Math.min(input.length, from + LOOKED_BYTES);
    for (let end = from + 4; end < to; end++) {
      const slot = slotAt(input, end);
      if (slot < 0) continue;
      pieces++;
      const bits = table[slot] as number;
      let knowing = 0;
      for (let left = bits; left !== 0; left &= left - 1) knowing++;
      const value = knowing === 0 ? 0 : Math.floor(SHARED_VALUE / (knowing + 1));
      for (let prior = 0; bits >> prior !== 0; prior++) {
        if (((bits >> prior) & 1) === 0) continue;
        known[prior] = (known[prior] as number) + 1;
        values[prior] = (values[prior] as number) + value;
      }
    }
  }
  return { known, values, pieces };
}

/** The number of the built-in prior that suits an input, or undefined if none does. */
export function chooseBuiltIn(input: Uint8Array): number | undefined {
  const { known, values, pieces } = knownPieces(input);
  const best = values.indexOf(Math.max(...values));
  return (known[best] as number) * KNOWN_SHARE > pieces ? best + PRESENT_FIRST : undefined;
}
