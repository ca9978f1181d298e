/** Where a lane's memory lies: src/contract/mixer.ts has the shapes, src/engine/reference/mixer.ts the meaning. */

export let streams: u32 = 0;
export let contexts: u32 = 0;
export let inputs: u32 = 0;
export let lineBits: u32 = 0;
export let stride: u32 = 0;
export let rate: i32 = 0;
export let finalRate: i32 = 0;

export let stretch: usize = 0;
export let squash: usize = 0;
export let reciprocals: usize = 0;
export let next: usize = 0;
export let total: usize = 0;
export let specs: usize = 0;
export let maps: usize = 0;
export let mapInputs: usize = 0;
export let masters: usize = 0;
export let copies: usize = 0;
export let finals: usize = 0;
export let order0: usize = 0;
export let refine1: usize = 0;
export let refine2: usize = 0;
export let matchMap: usize = 0;
export let ownPlaces: usize = 0;
export let places: usize = 0;
export let lines: usize = 0;
/** Of a stream, STREAM_BYTES: start, length; the match's stream, step and length; word, word before; expected byte. */
export let table: usize = 0;
export let records: usize = 0;
export let recordBytes: usize = 0;
/** Of [stream][context][nibble]: the line's address and its check. */
export let lineAt: usize = 0;
export let checkAt: usize = 0;
export let hashes: usize = 0;
export let data: usize = 0;

export const STREAM_BYTES: usize = 32;
export const PLACE_BITS: u32 = 18;
/** Within a record: 32 bytes of fields, the contexts' states, the sets (number, probability, log odds), the inputs. */
export const STATES: usize = 32;
export const CHOICES: usize = 64;
export const X: usize = 144;
export const SETS_ALL: u32 = 256 + 2048 + 512 + 256 + 2048 + 512;

let top: usize = 0;
function take(bytes: usize): usize {
  const at = top;
  top = (top + bytes + 63) & ~63;
  return at;
}

/** Lays a lane out and returns the bytes of memory that it takes, without what follows for the data. */
export function configure(b: u32, n: u32, bits: u32, strideBytes: u32, weightRate: i32, lastRate: i32): usize {
  streams = b;
  contexts = n;
  inputs = (2 * n + 4 + 7) & ~7;
  lineBits = bits;
  stride = strideBytes;
  rate = weightRate;
  finalRate = lastRate;
  top = 1024;
  stretch = take(4096 * 4);
  squash = take(8193 * 4);
  reciprocals = take(1024 * 4);
  next = take(512);
  total = take(256);
  specs = take(n * 32);
  maps = take(n * 1024);
  mapInputs = take(n * 1024);
  masters = take(<usize>SETS_ALL * inputs * 4);
  copies = take(<usize>SETS_ALL * inputs * 2);
  finals = take(256 * 6 * 4);
  order0 = take(512);
  matchMap = take(64);
  refine1 = take(65536 * 33 * 2);
  refine2 = take(65536 * 33 * 2);
  ownPlaces = take(4 << PLACE_BITS);
  places = take(4 << PLACE_BITS);
  table = take(b * STREAM_BYTES);
  recordBytes = (X + inputs * 2 + 15) & ~15;
  records = take(<usize>b * 8 * recordBytes);
  lineAt = take(<usize>b * n * 8);
  checkAt = take(<usize>b * n * 8);
  hashes = take(<usize>b * n * 4);
  lines = take((<usize>n << lineBits) << 4);
  data = top;
  return top;
}

/** Addresses that the host fills or that tests compare: see src/engine/cpu/mixer/lane.ts for their order. */
export function addressOf(what: u32): usize {
  if (what == 0) return stretch;
  if (what == 1) return squash;
  if (what == 2) return reciprocals;
  if (what == 3) return next;
  if (what == 4) return total;
  if (what == 5) return specs;
  if (what == 6) return maps;
  if (what == 7) return mapInputs;
  if (what == 8) return masters;
  if (what == 9) return copies;
  if (what == 10) return finals;
  if (what == 11) return order0;
  if (what == 12) return matchMap;
  if (what == 13) return refine1;
  if (what == 14) return refine2;
  if (what == 15) return lines;
  return data;
}
