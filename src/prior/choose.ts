/**
 * Which built-in prior suits an input: the one whose content has most of the pieces that the input begins with. That is
 * a count, not a trial: it takes a few milliseconds, and is right nearly always where it matters (docs/PRIORS.md).
 */
import stringsPath from "../../priors/choice.strings" with { type: "file" };
import { host } from "../platform/host.ts";
import { BUILT_IN_COUNT, PRESENT_FIRST } from "./built-in.ts";
import { openKernels } from "./kernels.ts";

/** Bytes of the content of each prior that is given to new archives. */
export const STRINGS_BYTES = 40_960;
const TABLE_BYTES = 1 << 20;
/** What is looked at of an input: so many bytes, at so many places all over it, and of a long one at more. */
const LOOKED_BYTES = 2048;
const PLACES_MAX = 4;
const LONG_PLACES = 16;
/** Inputs of more bytes are long: for a prior's choice, and for what else goes with one (docs/PRIORS.md). */
export const LONG_BYTES_MIN = 160 * 1024;
/** What says nothing: five bytes that are all the same. */
const NOTHING = 255;
/** A prior must know one piece in so many: of chance, each takes every twenty-fifth slot. */
const KNOWN_SHARE = 7;

const COUNT = BUILT_IN_COUNT + 1 - PRESENT_FIRST;
/** What a piece is worth, shared by the priors that know it and one that may: divides by up to seven. */
const SHARED_VALUE = 420;
const PAGE_BYTES = 65536;

/** @returns for each piece that ends at a byte, by its hash, a bit for every prior that knows it, or NOTHING */
type LookUp = (bytes: Uint8Array) => Uint8Array;

let lookUp: LookUp | undefined;

/** The content of all of them, by number: the priors themselves are large, and only one will be read. */
export function builtInStrings(): Uint8Array {
  return host.readAsset(stringsPath);
}

/** Enters the strings of all priors in a table. */
function openTable(): LookUp {
  const { kernels, memory } = openKernels(builtInStrings());
  const table = memory.buffer.byteLength;
  memory.grow((TABLE_BYTES + PAGE_BYTES) / PAGE_BYTES);
  kernels.enterPieces(COUNT, STRINGS_BYTES, table);
  const [at, found] = [table + TABLE_BYTES, table + TABLE_BYTES + LOOKED_BYTES];
  return (bytes) => {
    new Uint8Array(memory.buffer).set(bytes, at);
    kernels.lookUpPieces(at, bytes.length, table, found);
    return new Uint8Array(memory.buffer, found, bytes.length);
  };
}

interface Knowledge {
  /** Of the pieces looked at, those that each prior knows, by number - PRESENT_FIRST. */
  readonly known: readonly number[];
  /** The same, where a piece that several priors know counts for each of them less: they share SHARED_VALUE. */
  readonly values: readonly number[];
  readonly pieces: number;
}

function knownPieces(input: Uint8Array): Knowledge {
  lookUp ??= openTable();
  const known = Array<number>(COUNT).fill(0);
  const values = Array<number>(COUNT).fill(0);
  let pieces = 0;
  const placesMax = input.length > LONG_BYTES_MIN ? LONG_PLACES : PLACES_MAX;
  const places = Math.max(1, Math.min(placesMax, Math.floor(input.length / LOOKED_BYTES)));
  const step = Math.floor(input.length / places);
  for (let place = 0; place < places; place++) {
    const found = lookUp(input.subarray(place * step, place * step + LOOKED_BYTES));
    for (let end = 4; end < found.length; end++) {
      const bits = found[end] as number;
      if (bits === NOTHING) continue;
      pieces++;
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
