/** Four int8 values to a 32-bit word, lowest byte first, as the kernels keep operands. */

export function pack4(values: ArrayLike<number>): Int32Array<ArrayBuffer> {
  return new Int32Array(Int8Array.from(values).buffer);
}

export function unpack4(words: Int32Array<ArrayBuffer>): Int8Array<ArrayBuffer> {
  return new Int8Array(words.buffer, words.byteOffset, words.byteLength);
}
