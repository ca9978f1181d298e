/**
 * Mirrored copies: a genome is written down in one direction, but has two strands, and a repeat may lie on the other
 * one. It then stands there backwards, each letter as the one that pairs with it. Copies can be read so, too.
 */

const PAIRS = ["AT", "CG", "at", "cg"];

/** The byte that stands on the other strand; bytes that are no such letter are their own partners. */
export const COMPLEMENT: Uint8Array = complements();

function complements(): Uint8Array {
  const table = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const pair of PAIRS) {
    const [one, other] = [pair.charCodeAt(0), pair.charCodeAt(1)];
    table[one] = other;
    table[other] = one;
  }
  return table;
}
