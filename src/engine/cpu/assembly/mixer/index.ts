/**
 * The bit mixer of one lane, with its range coder: the exports of mixer.wasm. src/engine/reference/mixer.ts is the same
 * to be read. The range coder is 32 bits wide and never carries: it narrows an interval, and bytes that both ends share
 * go out.
 */
import { expectBytes, beginStreams, findLines, findMatches, hashContexts } from "./find";
import { learn } from "./learn";
import { predict } from "./predict";
import { data, STREAM_BYTES, streams, table } from "./state";
export { addressOf, configure } from "./state";

/** Bytes of the step: one for each stream, at most 32. */
const BYTES: usize = 512;
const HALVES: usize = 576;

let low: u32 = 0;
let high: u32 = 0xffffffff;
let code: u32 = 0;
let at: usize = 0;
let end: usize = 0;

// @ts-ignore: decorator
@inline
function split(p: u32): u32 {
  const range = high - low;
  return low + (range >> 16) * p + (((range & 0xffff) * p) >> 16);
}

// @ts-ignore: decorator
@inline
function encodeBit(bit: u32, p: u32): void {
  const middle = split(p);
  if (bit) high = middle;
  else low = middle + 1;
  while (((low ^ high) & 0xff000000) == 0) {
    store<u8>(at++, high >> 24);
    low <<= 8;
    high = (high << 8) | 255;
  }
}

// @ts-ignore: decorator
@inline
function nextByte(): u32 {
  return at < end ? <u32>load<u8>(at++) : 0;
}

// @ts-ignore: decorator
@inline
function decodeBit(p: u32): u32 {
  const middle = split(p);
  const bit = u32(code <= middle);
  if (bit) high = middle;
  else low = middle + 1;
  while (((low ^ high) & 0xff000000) == 0) {
    low <<= 8;
    high = (high << 8) | 255;
    code = (code << 8) | nextByte();
  }
  return bit;
}

function liveAt(t: u32): u32 {
  let live: u32 = 0;
  while (live < streams && t < load<u32>(table + live * STREAM_BYTES, 4)) live++;
  return live;
}

/** Before the bits of step t. */
function beginStep(live: u32, t: u32): void {
  expectBytes(live, t);
  for (let b: u32 = 0; b < live; b++) hashContexts(b, t);
  findLines(live, 0, HALVES);
}

function encodeHalf(live: u32, t: u32, from: u32): void {
  for (let b: u32 = 0; b < live; b++) {
    const byte: u32 = load<u8>(BYTES + b);
    for (let k = from; k < from + 4; k++) {
      encodeBit((byte >> (7 - k)) & 1, predict(b, k, (byte | 256) >> (8 - k), t));
    }
  }
}

function decodeHalf(live: u32, t: u32, from: u32): void {
  for (let b: u32 = 0; b < live; b++) {
    let node: u32 = from == 0 ? 1 : 16 + load<u8>(HALVES + b);
    for (let k = from; k < from + 4; k++) node = node * 2 + decodeBit(predict(b, k, node, t));
    if (from == 0) store<u8>(HALVES + b, node - 16);
    else store<u8>(BYTES + b, node);
  }
}

/** Codes `length` bytes at the data's address to `out`; returns how many bytes that made. */
export function encode(length: u32, out: usize): u32 {
  beginStreams(length);
  low = 0;
  high = 0xffffffff;
  at = out;
  for (let t: u32 = 0; ; t++) {
    const live = liveAt(t);
    if (live == 0) break;
    for (let b: u32 = 0; b < live; b++) {
      const byte = load<u8>(data + load<u32>(table + b * STREAM_BYTES) + t);
      store<u8>(BYTES + b, byte);
      store<u8>(HALVES + b, byte >> 4);
    }
    beginStep(live, t);
    encodeHalf(live, t, 0);
    findLines(live, 1, HALVES);
    encodeHalf(live, t, 4);
    learn(live, BYTES);
    findMatches(live, t + 1);
  }
  // The first bytes of low and high differ, so a first byte above low, and the zeros that are read behind it, decide.
  if (low > 0) {
    const byte = (low >> 24) + 1;
    store<u8>(at++, byte);
  }
  return <u32>(at - out);
}

/** Decodes `length` bytes from the `bytes` at `from` to the data's address. Never reads beyond: zeros follow. */
export function decode(from: usize, bytes: u32, length: u32): void {
  beginStreams(length);
  low = 0;
  high = 0xffffffff;
  at = from;
  end = from + bytes;
  for (let i = 0; i < 4; i++) code = (code << 8) | nextByte();
  for (let t: u32 = 0; ; t++) {
    const live = liveAt(t);
    if (live == 0) break;
    beginStep(live, t);
    decodeHalf(live, t, 0);
    findLines(live, 1, HALVES);
    decodeHalf(live, t, 4);
    for (let b: u32 = 0; b < live; b++) {
      store<u8>(data + load<u32>(table + b * STREAM_BYTES) + t, load<u8>(BYTES + b));
    }
    learn(live, BYTES);
    findMatches(live, t + 1);
  }
}
