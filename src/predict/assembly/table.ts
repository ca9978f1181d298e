/**
 * Tables of numbers: floats of 16, 32 or 64 bits, bfloat16, or integers, of one or several columns that take turns, in
 * rows and frames if they are grids. Each is predicted by least squares over its neighbours, which are learned in cells
 * as those of pixels are: a cell forgets whenever the walk comes to it again, and a solution takes those beside it into
 * account. Without rows a column has one cell, through which the walk comes every 16 numbers.
 *
 * A prediction becomes the nearest number of the format, and that, as the number itself, an integer which rises with
 * it. Their difference is what is left: zigzag (0, -1, 1, ...), the high byte first. Of the lowest bits, if asked for,
 * the number's own stay, since numbers that were rounded once have only some of them. docs/NUMERICS.md has every step.
 */
import { cellBytes, learnCell, solveCell } from "./cells";
import { dot } from "./solve";

const FORMAT_INTEGER: u32 = 0;
const FORMAT_FLOAT: u32 = 1;
const FORMAT_BRAIN: u32 = 2;

const TAPS_MAX: usize = 32;
const OFFSETS_MAX: usize = 40;
/** Numbers of a column in a cell, at least, and cells of a column with rows, at most. */
const CELL: u32 = 16;
const CELLS_MAX: u32 = 512;
/** What of a cell's sums is left when the walk comes again; and the ridge. */
const KEPT: f64 = 0.95;
const RIDGE: f64 = 1e-3;
const RELATIVE_RIDGE: f64 = 1e-5;
/** Taps of a column without rows, and of the columns before. */
const LINE_TAPS: u32 = 16;
const OTHERS_MAX: u32 = 3;
/** What is larger, scaled, would make squares without end. */
const VALUE_MAX: f64 = 1e140;
/**
 * Damped, a moment counts the less the larger it is: by DAMPING / (DAMPING + its squares). Differences are some
 * hundreds, so most moments count for what they are, and what is no number of the table, such as a header or what
 * stands for a missing value, for no more than a few of them. Without, 128 bytes of text, read as floats, made a
 * megabyte behind them 16 % larger.
 */
const DAMPING: f64 = 1073741824;
const F32_MAX: f64 = 3.4e38;
const F64_MAX: f64 = 1.7e308;

/** The head of the state: 32-bit numbers, then 64-bit floats. */
const WIDTH: usize = 0;
const FORMAT: usize = 4;
const IS_BIG: usize = 8;
const COLUMNS: usize = 12;
const ROW: usize = 16;
const RAW_BITS: usize = 20;
const TIME: usize = 24;
const TAPS: usize = 28;
const MASK: usize = 32;
const CELL_NUMBERS: usize = 36;
const CELLS: usize = 40;
const GROUPS: usize = 44;
const IS_DAMPED: usize = 48;
const SCALE: usize = 56;
const INVERSE: usize = 64;
const OFFSETS: usize = 80;
const GROUP_OF: usize = OFFSETS + OFFSETS_MAX * 4;
/** Groups of taps: those of the column, of the columns before, of the frame before. */
const GROUPS_MAX: usize = 8;
const BASES: usize = GROUP_OF + OFFSETS_MAX * 4;
const MEANS: usize = BASES + GROUPS_MAX * 4;
const VALUES: usize = MEANS + GROUPS_MAX * 8;
const R: usize = VALUES + TAPS_MAX * 8;
const HEAD_BYTES: usize = R + (TAPS_MAX * TAPS_MAX + TAPS_MAX) * 8;

/** Numbers that are looked back on, as a power of two. */
function ringOf(columns: u32, row: u32, frame: u32): u32 {
  const reach = frame > 0 ? frame + 2 * row + 2 * columns : row > 0 ? 3 * row + 3 * columns : (LINE_TAPS + 2) * columns;
  return 1 << (32 - clz<u32>(reach + OTHERS_MAX + columns));
}

/** Numbers of a column in a cell. */
function cellNumbers(columns: u32, row: u32): u32 {
  return max(CELL, (row / columns + CELLS_MAX - 1) / CELLS_MAX);
}

function cellsOf(columns: u32, row: u32): u32 {
  const numbers = cellNumbers(columns, row);
  return row > 0 ? (row / columns + numbers - 1) / numbers : 1;
}

function tapsOf(columns: u32, row: u32, frame: u32): usize {
  const others = min(columns - 1, OTHERS_MAX);
  return (<usize>((row > 0 ? 12 : LINE_TAPS) + others + (frame > 0 ? 13 : 0)) + 1) & ~1;
}

/** What the state of such a table takes. */
export function tableStateBytes(columns: u32, row: u32, frame: u32): usize {
  const taps = tapsOf(columns, row, frame);
  const cells = <usize>(cellsOf(columns, row) + 2) * cellBytes(taps);
  return HEAD_BYTES + <usize>columns * (taps * 8 + cells) + (<usize>ringOf(columns, row, frame) << 3);
}

/**
 * @param state tableStateBytes long, a multiple of 16 @param width bytes of a number: 2, 4, 8
 * @param format 0 integers, 1 floats, 2 bfloat16 (of 2 bytes) @param isBig whether their high byte comes first
 * @param columns that take turns, 1 or more @param row numbers of all columns in a row, a multiple of them, or 0
 * @param frame numbers of a frame, a multiple of row and above it, or 0 @param rawBits lowest bits that stay
 * @param exponent numbers are scaled by 2^exponent, -1000 to 1000 @param isDamped whether large moments count less
 */
export function startTable(
  state: usize,
  width: u32,
  format: u32,
  isBig: bool,
  columns: u32,
  row: u32,
  frame: u32,
  rawBits: u32,
  exponent: i32,
  isDamped: bool,
): void {
  memory.fill(state, 0, tableStateBytes(columns, row, frame));
  store<u32>(state + WIDTH, width);
  store<u32>(state + FORMAT, format);
  store<u32>(state + IS_BIG, isBig ? 1 : 0);
  store<u32>(state + COLUMNS, columns);
  store<u32>(state + ROW, row);
  store<u32>(state + RAW_BITS, rawBits);
  store<u32>(state + TAPS, <u32>tapsOf(columns, row, frame));
  store<u32>(state + MASK, ringOf(columns, row, frame) - 1);
  store<u32>(state + CELL_NUMBERS, cellNumbers(columns, row));
  store<u32>(state + CELLS, cellsOf(columns, row));
  store<u32>(state + IS_DAMPED, isDamped ? 1 : 0);
  store<f64>(state + SCALE, powerOfTwo(exponent));
  store<f64>(state + INVERSE, powerOfTwo(-exponent));
  addTaps(state, columns, row, frame);
}

// @ts-ignore: decorator
@inline
function powerOfTwo(exponent: i32): f64 {
  return reinterpret<f64>(<i64>(exponent + 1023) << 52);
}

let tapCount: u32 = 0;

function addTap(state: usize, group: u32, offset: u32): void {
  store<u32>(state + OFFSETS + tapCount * 4, offset);
  store<u32>(state + GROUP_OF + tapCount * 4, group);
  tapCount += 1;
}

function addTaps(state: usize, c: u32, row: u32, frame: u32): void {
  tapCount = 0;
  if (row > 0) {
    for (let i: u32 = 1; i <= 3; i += 1) addTap(state, 0, i * c);
    for (let i: u32 = 1; i <= 3; i += 1) addTap(state, 0, i * row);
    for (let i: u32 = 1; i <= 2; i += 1) {
      addTap(state, 0, row - i * c);
      addTap(state, 0, row + i * c);
    }
    addTap(state, 0, 2 * row - c);
    addTap(state, 0, 2 * row + c);
  } else {
    // The number before is the mean that all are held against.
    for (let i: u32 = 2; i <= LINE_TAPS + 1; i += 1) addTap(state, 0, i * c);
  }
  let groups: u32 = 1;
  for (let i: u32 = 1; i <= min(c - 1, OTHERS_MAX); i += 1, groups += 1) {
    store<u32>(state + BASES + groups * 4, i);
    addTap(state, groups, i);
  }
  if (frame > 0) {
    store<u32>(state + BASES + groups * 4, frame);
    addTap(state, groups, frame);
    for (let i: u32 = 1; i <= 2; i += 1) {
      addTap(state, groups, frame - i * c);
      addTap(state, groups, frame + i * c);
      addTap(state, groups, frame - i * row);
      addTap(state, groups, frame + i * row);
    }
    addTap(state, groups, frame - row - c);
    addTap(state, groups, frame - row + c);
    addTap(state, groups, frame + row - c);
    addTap(state, groups, frame + row + c);
    groups += 1;
  }
  store<u32>(state + GROUPS, groups);
}

/**
 * Goes on through `numbers` numbers, of all columns in turn.
 *
 * @param from plain numbers, or with `isBack` what codeTable made of them @param to where the other goes
 */
export function codeTable(state: usize, from: usize, to: usize, numbers: usize, isBack: bool): void {
  const width = load<u32>(state + WIDTH);
  const isBig = load<u32>(state + IS_BIG) !== 0;
  const rawBits = <u64>load<u32>(state + RAW_BITS);
  const raw = ((<u64>1) << rawBits) - 1;
  const leftBits = <u64>8 * width - rawBits;
  for (let i: usize = 0; i < numbers; i += 1) {
    const at = i * width;
    const predicted = <u64>predict(state) & ~raw;
    let number: i64;
    if (isBack) {
      const left = <u64>read(from + at, width, true);
      const zigzag = (left >> rawBits) & (~(<u64>0) >> (64 - leftBits));
      const steps = (zigzag >> 1) ^ -(zigzag & 1);
      number = signed(predicted + ((steps << rawBits) | (left & raw)), width);
      write(to + at, width, isBig, turned(state, number));
    } else {
      number = turned(state, signed(read(from + at, width, isBig), width));
      const miss = signed(<u64>number - predicted, width);
      const steps = miss >> <i64>rawBits;
      write(to + at, width, true, (((steps << 1) ^ (steps >> 63)) << <i64>rawBits) | (miss & <i64>raw));
    }
    learn(state, valueOf(state, number));
  }
}

// @ts-ignore: decorator
@inline
function signed(bits: u64, width: u32): i64 {
  const unused = <i64>(64 - 8 * width);
  return (<i64>bits << unused) >> unused;
}

/** Between the bits of a float and an integer that rises with it; either way. */
// @ts-ignore: decorator
@inline
function turned(state: usize, bits: i64): i64 {
  if (load<u32>(state + FORMAT) === FORMAT_INTEGER) return bits;
  return bits ^ ((bits >> 63) & ((<i64>1 << <i64>(8 * load<u32>(state + WIDTH) - 1)) - 1));
}

// @ts-ignore: decorator
@inline
function read(at: usize, width: u32, isBig: bool): u64 {
  let value: u64 = 0;
  for (let i: u32 = 0; i < width; i += 1) value |= <u64>load<u8>(at + i) << (8 * <u64>(isBig ? width - 1 - i : i));
  return value;
}

// @ts-ignore: decorator
@inline
function write(at: usize, width: u32, isBig: bool, value: i64): void {
  for (let i: u32 = 0; i < width; i += 1) store<u8>(at + i, <u8>(value >> (8 * <i64>(isBig ? width - 1 - i : i))));
}

/** A number as least squares see it: scaled; 0 if it is none. */
function valueOf(state: usize, number: i64): f64 {
  const scaled = plainValue(state, number) * load<f64>(state + SCALE);
  if (scaled > -VALUE_MAX && scaled < VALUE_MAX) return scaled;
  // Neither above nor below: it is no number.
  if (scaled >= VALUE_MAX && scaled <= F64_MAX) return VALUE_MAX;
  return scaled <= -VALUE_MAX && scaled >= -F64_MAX ? -VALUE_MAX : 0;
}

function plainValue(state: usize, number: i64): f64 {
  const format = load<u32>(state + FORMAT);
  if (format === FORMAT_INTEGER) return <f64>number;
  const bits = turned(state, number);
  const width = load<u32>(state + WIDTH);
  if (width === 8) return reinterpret<f64>(bits);
  if (width === 4) return <f64>reinterpret<f32>(<i32>bits);
  if (format === FORMAT_BRAIN) return <f64>reinterpret<f32>(<i32>bits << 16);
  return valueOfHalf(<u32>bits);
}

function valueOfHalf(bits: u32): f64 {
  const exponent = <i32>((bits >> 10) & 31);
  const fraction = bits & 1023;
  if (exponent === 31) return 0;
  const size = exponent === 0 ? <f64>fraction * powerOfTwo(-24) : <f64>(fraction + 1024) * powerOfTwo(exponent - 25);
  return bits & 0x8000 ? -size : size;
}

/** The number of the format that lies next to a scaled value, about, as an integer that rises with it. */
function numberOf(state: usize, scaled: f64): i64 {
  const format = load<u32>(state + FORMAT);
  const width = load<u32>(state + WIDTH);
  const value = scaled * load<f64>(state + INVERSE);
  if (format === FORMAT_INTEGER) {
    const limit = powerOfTwo(8 * <i32>width - 1);
    if (!(value > -limit)) return -(<i64>1 << <i64>(8 * width - 1));
    const most = ((<i64>1) << <i64>(8 * width - 1)) - 1;
    if (!(value < limit - 1)) return most;
    return min(<i64>Math.floor(value + 0.5), most);
  }
  if (width === 8) {
    const clamped = value > F64_MAX ? F64_MAX : value < -F64_MAX ? -F64_MAX : value === value ? value : 0;
    return turned(state, reinterpret<i64>(clamped));
  }
  const clamped = value > F32_MAX ? F32_MAX : value < -F32_MAX ? -F32_MAX : value === value ? value : 0;
  if (width === 2 && format === FORMAT_FLOAT) return turned(state, halfOf(clamped));
  const bits = reinterpret<i32>(<f32>clamped);
  return turned(state, width === 4 ? <i64>bits : <i64>((bits + 0x7fff) >> 16));
}

function halfOf(value: f64): i64 {
  const size = Math.abs(value);
  let bits: i64;
  if (size < powerOfTwo(-14)) bits = <i64>(size * powerOfTwo(24) + 0.5);
  else {
    const wide = reinterpret<i64>(size);
    bits = min<i64>(0x7bff, (wide >> 42) - (<i64>1008 << 10) + ((wide >> 41) & 1));
  }
  return value < 0 ? bits - 0x8000 : bits;
}

// @ts-ignore: decorator
@inline
function ringAt(state: usize): usize {
  return state + HEAD_BYTES;
}

/** The weights of a column; its cells lie behind, with an empty one on both sides. */
function columnAt(state: usize, column: u32): usize {
  const taps = <usize>load<u32>(state + TAPS);
  const bytes = taps * 8 + <usize>(load<u32>(state + CELLS) + 2) * cellBytes(taps);
  return ringAt(state) + ((<usize>load<u32>(state + MASK) + 1) << 3) + <usize>column * bytes;
}

/** The value so many numbers back, which there are. */
// @ts-ignore: decorator
@inline
function back(state: usize, offset: u32): f64 {
  return load<f64>(ringAt(state) + (<usize>((load<u32>(state + TIME) - offset) & load<u32>(state + MASK)) << 3));
}

/** Where the walk is: its cell. */
function cellAt(state: usize): usize {
  const columns = load<u32>(state + COLUMNS);
  const row = load<u32>(state + ROW);
  const time = load<u32>(state + TIME);
  const taps = <usize>load<u32>(state + TAPS);
  const cell = row > 0 ? (time % row) / columns / load<u32>(state + CELL_NUMBERS) : 0;
  return columnAt(state, time % columns) + taps * 8 + <usize>(cell + 1) * cellBytes(taps);
}

/** Whether the walk enters a cell. */
function isEntered(state: usize): bool {
  const row = load<u32>(state + ROW);
  const time = load<u32>(state + TIME);
  const place = (row > 0 ? time % row : time) / load<u32>(state + COLUMNS);
  return place % load<u32>(state + CELL_NUMBERS) === 0;
}

function predict(state: usize): i64 {
  const taps = <usize>load<u32>(state + TAPS);
  const weights = columnAt(state, load<u32>(state + TIME) % load<u32>(state + COLUMNS));
  if (isEntered(state)) solveCell(cellAt(state), taps, KEPT, RIDGE, RELATIVE_RIDGE, state + R, weights);
  gather(state);
  const value = load<f64>(state + MEANS) + dot(taps, weights, state + VALUES);
  return numberOf(state, value);
}

/** Every tap's value less the mean of its group; what lies before the first number is like the mean. */
function gather(state: usize): void {
  const groups = load<u32>(state + GROUPS);
  for (let group: u32 = 0; group < groups; group += 1) {
    store<f64>(state + MEANS + group * 8, meanOf(state, load<u32>(state + BASES + group * 4)));
  }
  const time = load<u32>(state + TIME);
  const taps = load<u32>(state + TAPS);
  for (let i: u32 = 0; i < taps; i += 1) {
    const offset = load<u32>(state + OFFSETS + i * 4);
    const mean = load<f64>(state + MEANS + load<u32>(state + GROUP_OF + i * 4) * 8);
    store<f64>(state + VALUES + i * 8, offset > 0 && offset <= time ? back(state, offset) - mean : 0);
  }
}

/** Of the number so many back, the mean of the one before it in its column and the one above it. */
function meanOf(state: usize, base: u32): f64 {
  const time = load<u32>(state + TIME);
  const columns = load<u32>(state + COLUMNS);
  const row = load<u32>(state + ROW);
  if (time < base + columns) return base > 0 && time >= base ? back(state, base) : 0;
  const before = back(state, base + columns);
  if (row === 0 || time < base + row) return before;
  return (before + back(state, base + row)) * 0.5;
}

/** How much a moment counts. */
function dampedWeight(values: usize, taps: usize, target: f64): f64 {
  let squares = target * target;
  for (let i: usize = 0; i < taps; i += 1) {
    const tap = load<f64>(values + i * 8);
    squares += tap * tap;
  }
  return DAMPING / (DAMPING + squares);
}

/** A number is known. */
function learn(state: usize, value: f64): void {
  const taps = <usize>load<u32>(state + TAPS);
  const target = value - load<f64>(state + MEANS);
  const weight = load<u32>(state + IS_DAMPED) ? dampedWeight(state + VALUES, taps, target) : 1;
  learnCell(cellAt(state), state + VALUES, taps, target, weight);
  const time = load<u32>(state + TIME);
  store<f64>(ringAt(state) + (<usize>(time & load<u32>(state + MASK)) << 3), value);
  store<u32>(state + TIME, time + 1);
}
