/**
 * One lane of the bit mixer, with its range coder: the exports of mixer.wasm. src/engine/reference/mixer.ts is the same
 * to be read. The range coder is 32 bits wide and never carries: it narrows an interval, and bytes that both ends share
 * go out.
 */
import { learn, predict } from "./bits";
import {
  beginContexts,
  findLines,
  follow,
  hashContexts,
  measureOrders,
} from "./contexts";
import { time } from "./past";
import { findRuns } from "./runs";
import { coded, data, setStride } from "./state";
export { keep, recall } from "./contexts";
export { rehearse, replay, skim } from "./replay";
export { addressOf, configure } from "./state";
export { takeTallies } from "./tallies";
export { setRates } from "./bits";
export { setForeseen } from "./foresight";

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
  const byte: u32 = at < end ? <u32>load<u8>(at) : 0;
  at++;
  return byte;
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

/** Says what the next bytes are like; the contexts' records lie in SPECS already. */
export function describe(strideBytes: u32): void {
  setStride(strideBytes);
  measureOrders();
}

/** Begins a block. */
export function begin(): void {
  beginContexts();
  beginBehind();
}

/** Begins a block behind the bytes so far. */
export function beginBehind(): void {
  low = 0;
  high = 0xffffffff;
}

/** Goes through a byte that is there already, and codes it or only learns it. */
// @ts-ignore: decorator
@inline
function pass(isCoded: bool): void {
  const byte: u32 = load<u8>(data + time);
  hashContexts();
  findLines(0);
  findRuns();
  let node: u32 = 1;
  for (let k: u32 = 0; k < 8; k++) {
    if (k == 4) findLines(node - 15);
    const bit = (byte >> (7 - k)) & 1;
    const p = predict(k, node);
    if (isCoded) encodeBit(bit, p);
    learn(bit);
    node = node * 2 + bit;
  }
  follow(byte);
}

/** Codes the next `count` bytes, which lie behind those of the block so far; returns how many bytes that made. */
export function encode(count: u32): u32 {
  at = coded;
  for (const until = time + count; time < until; ) pass(true);
  return <u32>(at - coded);
}

/** Bytes that an encoder writes behind a block's last one, 0 or 1. */
export function tailBytes(): u32 {
  return u32(low != 0);
}

/** Writes them; returns how many they are. */
export function finishEncoding(): u32 {
  // The first bytes of low and high differ, so a first byte above low, and the zeros that are read behind it, decide.
  if (low != 0) store<u8>(coded, (low >> 24) + 1);
  return tailBytes();
}

/** Reads the coder's first four bytes of the `bytes` that are there. */
export function beginDecoding(bytes: u32): u32 {
  at = coded;
  end = coded + bytes;
  for (let i = 0; i < 4; i++) code = (code << 8) | nextByte();
  return <u32>(at - coded);
}

/** Decodes `count` bytes to the data's end from `bytes` coded ones, behind which zeros follow; how many it took. */
export function decode(count: u32, bytes: u32): u32 {
  at = coded;
  end = coded + bytes;
  for (const until = time + count; time < until; ) {
    hashContexts();
    findLines(0);
    findRuns();
    let node: u32 = 1;
    for (let k: u32 = 0; k < 8; k++) {
      if (k == 4) findLines(node - 15);
      const bit = decodeBit(predict(k, node));
      learn(bit);
      node = node * 2 + bit;
    }
    store<u8>(data + time, node);
    follow(node & 255);
  }
  return <u32>(at - coded);
}

/** Learns the next `count` bytes without coding them. */
export function study(count: u32): void {
  for (const until = time + count; time < until; ) pass(false);
}
