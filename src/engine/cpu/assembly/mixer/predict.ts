/** The probability of one bit of one stream, and what has to be remembered of it until the step is learnt. */
import { back } from "./find";
import {
  CHOICES,
  contexts,
  copies,
  data,
  finals,
  inputs,
  lineAt,
  lines,
  mapInputs,
  matchMap,
  order0,
  recordBytes,
  records,
  refine1,
  refine2,
  squash,
  STATES,
  STREAM_BYTES,
  stretch,
  stride,
  table,
  X,
} from "./state";

const NODES: u32 = 33;

// @ts-ignore: decorator
@inline
function stretched(p: i32): i32 {
  return load<i32>(stretch + ((p >> 4) << 2));
}

// @ts-ignore: decorator
@inline
function clampTo(x: i32, limit: i32): i32 {
  return min(max(x, -limit), limit);
}

/** Of log odds in Q12, between two nodes of the table. */
// @ts-ignore: decorator
@inline
function squashed(x: i32): i32 {
  const at = squash + ((clampTo(x, 2900 << 4) >> 4) + 4096) * 4;
  const low = load<i32>(at);
  return low + (((load<i32>(at, 4) - low) * (x & 15) + 8) >> 4);
}

// @ts-ignore: decorator
@inline
export function recordOf(b: u32, k: u32): usize {
  return records + (b * 8 + k) * recordBytes;
}

/** The node of a line that a bit's history lies in: 1 … 15. */
// @ts-ignore: decorator
@inline
export function nibbleNode(k: u32, node: u32): u32 {
  if (k < 4) return node;
  const bit = 1 << (k - 4);
  return bit | (node & (bit - 1));
}

/** A match's length, in classes that widen. */
// @ts-ignore: decorator
@inline
function lengthClass(length: u32): u32 {
  const l = min<u32>(length, 400);
  return l < 16 ? l : l < 32 ? 16 + ((l - 16) >> 2) : l < 64 ? 20 + ((l - 32) >> 3) : 24 + min<u32>(7, (l - 64) >> 5);
}

/** Copies the contexts' inputs and states to the record; returns how many of contexts 1 … 6 know something. */
// @ts-ignore: decorator
@inline
function gather(b: u32, k: u32, node: u32, r: usize): u32 {
  const nibble = nibbleNode(k, node);
  let at = lineAt + (b * contexts * 2 + (k >> 2)) * 4;
  let known: u32 = 0;
  for (let i: u32 = 0; i < contexts; i++) {
    const line = load<u32>(at);
    const state: u32 = line & 1 ? 0 : load<u8>(line + nibble);
    store<u8>(r + STATES + i, state);
    store<u32>(r + X + i * 4, load<u32>(mapInputs + (i << 10) + (state << 2)));
    if (i - 1 < 6) known += u32(state != 0);
    at += 8;
  }
  return known;
}

/** The inputs that are no context's, and zeros behind them; returns whether the match takes part, by its length. */
// @ts-ignore: decorator
@inline
function gatherOthers(k: u32, node: u32, r: usize, length: u32, expected: u32): u32 {
  let x = r + X + contexts * 4;
  store<i16>(x, stretched(load<u16>(order0 + node * 2)));
  const byte = expected - 1;
  const takesPart = expected > 0 && (byte | 256) >> (8 - k) == node;
  const bit = (byte >> (7 - k)) & 1;
  const kind = lengthClass(length);
  store<i32>(r, takesPart ? <i32>kind : -1, 24);
  store<u32>(r, bit, 28);
  const p = takesPart ? <i32>load<u16>(matchMap + kind * 2) : 32768;
  const sign = bit ? 1 : -1;
  store<i16>(x, takesPart ? sign * stretched(p) : 0, 2);
  store<i16>(x, sign * ((p - 32768) >> 6), 4);
  store<i16>(x, 256, 6);
  const end = r + X + inputs * 2;
  for (x += 8; x < end; x += 8) store<u64>(x, 0);
  return !takesPart ? 0 : length < 12 ? 1 : length < 24 ? 2 : 3;
}

/** Chooses the six weight sets, as numbers over all of them. */
// @ts-ignore: decorator
@inline
function choose(start: usize, t: u32, k: u32, node: u32, r: usize, long: u32, known: u32, expected: u32): void {
  const b1 = back(start, t, 1);
  const b2 = back(start, t, 2);
  const fifth = stride > 0 ? back(start, t, stride) * 8 : (b1 >> 5) * 64 + (b2 >> 5) * 8;
  store<u32>(r, node, CHOICES);
  store<u32>(r, 256 + b1 * 8 + k, CHOICES + 12);
  store<u32>(r, 2304 + (long * 8 + k) * 8 + known, CHOICES + 24);
  store<u32>(r, 2816 + b2, CHOICES + 36);
  store<u32>(r, 3072 + fifth + k, CHOICES + 48);
  store<u32>(r, 5120 + (load<i32>(r, 24) < 0 ? 0 : expected), CHOICES + 60);
}

// @ts-ignore: decorator
@inline
function dot(w: usize, x: usize): i32 {
  let sum = i32x4.splat(0);
  const bytes = <usize>inputs * 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.load(w + i), v128.load(x + i)));
  }
  const pairs = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/** Both layers: log odds in Q12. */
// @ts-ignore: decorator
@inline
function mix(r: usize, final: usize): i32 {
  let sum: i32 = 0;
  for (let j: usize = 0; j < 6; j++) {
    const at = r + CHOICES + j * 12;
    const odds = clampTo(dot(copies + <usize>load<u32>(at) * inputs * 2, r + X) >> 10, 2047 << 4);
    store<i32>(at, squashed(odds), 4);
    store<i32>(at, odds, 8);
    sum += (load<i32>(final + j * 4) >> 14) * (odds >> 2);
  }
  return clampTo(sum >> 12, 2900 << 4);
}

/** An adaptive map's value between the two nodes around log odds (Q8). */
// @ts-ignore: decorator
@inline
function refined(row: usize, odds: i32): i32 {
  const low = (odds + 2048) >> 7;
  const part = (odds + 2048) & 127;
  const at = row + low * 2;
  return (<i32>load<u16>(at) * (128 - part) + <i32>load<u16>(at, 2) * part) >> 7;
}

/** Predicts bit k of stream b; 16 bits. Node: the bits before, behind a leading 1. */
export function predict(b: u32, k: u32, node: u32, t: u32): u32 {
  const s = table + b * STREAM_BYTES;
  const start = data + load<u32>(s);
  const r = recordOf(b, k);
  const expected = load<u32>(s, 28);
  const known = gather(b, k, node, r);
  const long = gatherOthers(k, node, r, load<u32>(s, 16), expected);
  choose(start, t, k, node, r, long, known, expected);
  const last = (long * 8 + k) * 8 + known;
  const odds = mix(r, finals + last * 24);
  const mixed = min(max(squashed(odds), 8), 65528);
  const coarse = clampTo(odds >> 4, 2047);
  const near = (coarse + 2048 + 64) >> 7;
  const b1 = back(start, t, 1);
  const row1 = b1 * 256 + node;
  const row2 = (((b1 * 256 + back(start, t, 2)) * 0x9e3779b1) >> 16) ^ (node * 257);
  const at1 = refine1 + (row1 * NODES << 1);
  const at2 = refine2 + ((row2 & 65535) * NODES << 1);
  store<u32>(r, node);
  store<u32>(r, mixed, 8);
  store<u32>(r, last, 12);
  store<u32>(r, at1 + near * 2, 16);
  store<u32>(r, at2 + near * 2, 20);
  const p = (2 * mixed + refined(at1, coarse) + refined(at2, coarse) + 2) >> 2;
  return min(max(p, 8), 65528);
}
