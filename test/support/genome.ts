/** Bytes for tests of the repeats: noise, and sequences of letters that have a second strand. */
import type { Random } from "./gpu-values.ts";

const STRANDS = ["ACGTNacgt", "TGCANtgca"] as const;

export function noise(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.next());
}

/** A, C, G and T. */
export function letters(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => STRANDS[0].charCodeAt(random.between(0, 3)));
}

/** The same as it stands on the other strand, letter by letter. */
export function otherStrand(sequence: Uint8Array): Uint8Array {
  const partner = (byte: number) => {
    const at = STRANDS[0].indexOf(String.fromCharCode(byte));
    return at < 0 ? byte : STRANDS[1].charCodeAt(at);
  };
  return sequence.map(partner).reverse();
}
