/** What a step teaches, in the order of streams and their bits: no prediction of the same step sees any of it. */
import {
  checkAt,
  CHOICES,
  contexts,
  copies,
  finalRate,
  finals,
  inputs,
  lineAt,
  mapInputs,
  maps,
  masters,
  matchMap,
  next,
  order0,
  rate,
  reciprocals,
  STATES,
  stretch,
  X,
} from "./state";
import { nibbleNode, recordOf } from "./predict";
import { follow } from "./find";

const WEIGHT_LIMIT: i32 = (1 << 29) - 1;
const COUNT_LIMIT: u32 = 255;

/** A weight set moves along the inputs, by the error of its own prediction; its Q14 copy follows. */
// @ts-ignore: decorator
@inline
function learnSet(set: usize, x: usize, step: i32): void {
  const limit = i32x4.splat(WEIGHT_LIMIT);
  const least = i32x4.splat(-WEIGHT_LIMIT - 1);
  const by = i16x8.splat(<i16>step);
  let w = masters + set * inputs * 4;
  let copy = copies + set * inputs * 2;
  const end = x + inputs * 2;
  for (; x < end; x += 16) {
    const v = v128.load(x);
    const a = i32x4.add(v128.load(w), i32x4.extmul_low_i16x8_s(v, by));
    const b = i32x4.add(v128.load(w, 16), i32x4.extmul_high_i16x8_s(v, by));
    const low = i32x4.min_s(i32x4.max_s(a, least), limit);
    const high = i32x4.min_s(i32x4.max_s(b, least), limit);
    v128.store(w, low);
    v128.store(w, high, 16);
    v128.store(copy, i16x8.narrow_i32x4_s(i32x4.shr_s(low, 14), i32x4.shr_s(high, 14)));
    w += 32;
    copy += 16;
  }
}

// @ts-ignore: decorator
@inline
function learnWeights(r: usize, bit: u32): void {
  const target = <i32>bit << 16;
  const final = finals + load<u32>(r, 12) * 24;
  const last = ((target - load<i32>(r, 8)) * finalRate + 32768) >> 16;
  for (let j: usize = 0; j < 6; j++) {
    const at = r + CHOICES + j * 12;
    const step = ((target - load<i32>(at, 4)) * rate + 32768) >> 16;
    if (step != 0) learnSet(load<u32>(at), r + X, step);
    const w = load<i32>(final + j * 4) + last * (load<i32>(at, 8) >> 4);
    store<i32>(final + j * 4, min(max(w, -WEIGHT_LIMIT - 1), WEIGHT_LIMIT));
  }
}

/** The adaptive maps of the histories that were seen, and the two inputs that each of their entries makes. */
// @ts-ignore: decorator
@inline
function learnMaps(r: usize, bit: u32): void {
  const target = <i32>bit << 22;
  for (let i: u32 = 0; i < contexts; i++) {
    const state: u32 = load<u8>(r + STATES + i);
    if (state == 0) continue;
    const at = (i << 10) + (state << 2);
    const cell = load<u32>(maps + at);
    const n = cell & 1023;
    const p = <i32>(cell >> 10);
    const moved = p + <i32>((<i64>(target - p) * load<i32>(reciprocals + n * 4) + 16384) >> 15);
    const q = min(max(moved, 64), (1 << 22) - 64);
    store<u32>(maps + at, (<u32>q << 10) | min(n + 1, COUNT_LIMIT));
    const odds = load<i32>(stretch + ((q >> 10) << 2));
    store<u32>(mapInputs + at, (odds & 0xffff) | ((((q >> 6) - 32768) >> 6) << 16));
  }
}

// @ts-ignore: decorator
@inline
function towards(at: usize, target: i32, shift: i32): void {
  const p: i32 = load<u16>(at);
  store<u16>(at, p + ((target - p) >> shift));
}

// @ts-ignore: decorator
@inline
function learnOthers(r: usize, bit: u32): void {
  const target: i32 = bit ? 65535 : 0;
  towards(order0 + load<u32>(r) * 2, target, 6);
  towards(load<u32>(r, 16), target, 6);
  towards(load<u32>(r, 20), target, 6);
  const kind = load<i32>(r, 24);
  if (kind < 0) return;
  const at = matchMap + kind * 2;
  towards(at, load<u32>(r, 28) == bit ? 65535 : 0, 7);
  if (load<u16>(at) < 33000) store<u16>(at, 33000);
}

/** A stream's histories: lines that were to be taken over are, unless another stream was first. */
// @ts-ignore: decorator
@inline
function learnLines(b: u32, byte: u32): void {
  for (let i: u32 = 0; i < contexts; i++) {
    for (let nibble: u32 = 0; nibble < 2; nibble++) {
      const at = ((b * contexts + i) * 2 + nibble) * 4;
      const found = load<u32>(lineAt + at);
      const line = found & ~1;
      const check = load<u32>(checkAt + at);
      if (load<u8>(line) != check) {
        if ((found & 1) == 0) continue;
        v128.store(line, i32x4.splat(0));
        store<u8>(line, check);
      }
      let node: u32 = 1;
      const half = nibble ? byte & 15 : byte >> 4;
      for (let k = 3; k >= 0; k--) {
        const bit = (half >> k) & 1;
        store<u8>(line + node, load<u8>(next + <u32>load<u8>(line + node) * 2 + bit));
        node = node * 2 + bit;
      }
    }
  }
}

/** Streams [0, live) learn their bytes. */
export function learn(live: u32, bytes: usize): void {
  for (let b: u32 = 0; b < live; b++) {
    const byte: u32 = load<u8>(bytes + b);
    for (let k: u32 = 0; k < 8; k++) {
      const r = recordOf(b, k);
      const bit = (byte >> (7 - k)) & 1;
      learnWeights(r, bit);
      learnMaps(r, bit);
      learnOthers(r, bit);
    }
    learnLines(b, byte);
    follow(b, byte);
  }
}
