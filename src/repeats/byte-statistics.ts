/**
 * What a count of its byte values says of a block: whether it is made of few letters, as genomes are.
 */

/**
 * Whether 2 to 6 byte values, none of them rare or most of the block, make up nearly all of it. Small letters count as
 * capitals: genomes are often written with their repeats in small ones.
 */
export function isOfFewLetters(block: Uint8Array): boolean {
  const counts = byteCounts(block);
  for (let letter = 65; letter <= 90; letter += 1) {
    counts[letter] = (counts[letter] as number) + (counts[letter + 32] as number);
    counts[letter + 32] = 0;
  }
  const letters = counts.filter((count) => 32 * count >= block.length);
  const inLetters = letters.reduce((sum, count) => sum + count, 0);
  const isEven = letters.every((count) => 2 * count < block.length);
  return letters.length >= 2 && letters.length <= 6 && isEven && 20 * inLetters >= 19 * block.length;
}

/** How often each byte value is there. */
function byteCounts(bytes: Uint8Array): Uint32Array {
  const counts = new Uint32Array(256);
  // Not "of": before that is compiled, it leaves an object for each byte, half a gigabyte of garbage for a block.
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] as number;
    counts[byte] = (counts[byte] as number) + 1;
  }
  return counts;
}
