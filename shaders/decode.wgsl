// decode: takes the bytes of one step out of the coder groups' payloads, by the frequencies in `ends`, and puts them
// into the row of this step, where the rest of the step finds them. src/coder/range.ts on the device.
//
//   unit = range >> 22      symbol = the first whose end * unit > offset      start = its start * unit
//   offset -= start         range = end * unit - start         while range <= 2^32: 16 bits more, from the payload
//
// Exact: numbers of up to 48 bits are two words, and products of 22 by 26 bits are made of four of 16 by 16 or fewer.
// The host's coder compares an end with floor(offset / unit), which is the same as end * unit with offset.
//
// A workgroup to a coder group; its first invocation decodes the streams one after the other, since each begins where
// the one before left the range. The others bring the frequencies of the next streams into workgroup memory; an
// invocation that is alone reads them where they are. A group that fails gives zeros from there on, and says why.

@group(0) @binding(0) var<storage, read> ends: array<u32>;                  // B x 256
@group(0) @binding(1) var<storage, read> payloads: array<u32>;              // packed u8, each from a whole word on
@group(0) @binding(2) var<storage, read> control: array<i32>;                // control numbers, see end_step
@group(0) @binding(3) var<storage, read> live: array<u32>;                  // a step's number, its live streams
@group(0) @binding(4) var<storage, read_write> coders: array<u32>;          // G x CODER_FIELDS
@group(0) @binding(5) var<storage, read_write> bytes: array<atomic<u32>>;   // PAST_ROWS x ROW_WORDS, packed u8

const VALUE_OUTSIDE_TABLE = 1u;
const DATA_TOO_SHORT = 2u;
const TAIL_BYTES = 6u;                           // of implied zeros after the end of a payload
const BATCH = select(8u, 1u, LANES == 1u);       // streams whose frequencies are brought at a time

var<workgroup> near: array<u32, BATCH * 256u>;

// The coder's numbers; of two words, the high one first.
var<private> offset: vec2<u32>;
var<private> range: vec2<u32>;
var<private> position: u32;      // bytes read
var<private> start: u32;         // of the payload
var<private> length: u32;        // of the payload
var<private> failure: u32;

// a * b for a below 2^23 and b below 2^27.
fn product(a: u32, b: u32) -> vec2<u32> {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (a & 0xffffu) * (b >> 16u);
  let sum = low + (middle << 16u);
  return vec2<u32>((a >> 16u) * (b >> 16u) + (middle >> 16u) + select(0u, 1u, sum < low), sum);
}

fn is_above(a: vec2<u32>, b: vec2<u32>) -> bool { return a.x > b.x || (a.x == b.x && a.y > b.y); }

fn minus(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return vec2<u32>(a.x - b.x - select(0u, 1u, a.y < b.y), a.y - b.y);
}

fn payload_byte(at: u32) -> u32 {
  if (at >= length) { return 0u; }
  return extractBits(payloads[(start + at) / 4u], 8u * ((start + at) % 4u), 8u);
}

fn payload_word() -> u32 {
  let at = position;
  position += 2u;
  if (position > length + TAIL_BYTES) { failure = DATA_TOO_SHORT; }
  return 256u * payload_byte(at) + payload_byte(at + 1u);
}

fn end_of(b: u32, first: u32, symbol: u32) -> u32 {
  if (LANES == 1u) { return ends[b * 256u + symbol]; }
  return near[(b - first) * 256u + symbol];
}

// The next byte, of stream b; `first` is the one whose frequencies are the first in workgroup memory.
fn symbol_of(b: u32, first: u32) -> u32 {
  let unit = (range.x << 10u) | (range.y >> 22u);
  var symbol = 0u;
  var below = vec2<u32>();
  for (var half = 128u; half > 0u; half >>= 1u) {
    let end = product(end_of(b, first, symbol + half - 1u), unit);
    if (is_above(end, offset)) { continue; }
    symbol += half;
    below = end;
  }
  let end = product(end_of(b, first, symbol), unit);
  if (!is_above(end, offset)) {
    failure = VALUE_OUTSIDE_TABLE;
    return 0u;
  }
  offset = minus(offset, below);
  range = minus(end, below);
  while (failure == 0u && !is_above(range, vec2<u32>(1u, 0u))) {
    offset = vec2<u32>((offset.x << 16u) | (offset.y >> 16u), (offset.y << 16u) | payload_word());
    range = vec2<u32>((range.x << 16u) | (range.y >> 16u), range.y << 16u);
  }
  return select(0u, symbol, failure == 0u);
}

fn load(at: u32) {
  offset = vec2<u32>(coders[at + CODER_OFFSET], coders[at + CODER_OFFSET + 1u]);
  range = vec2<u32>(coders[at + CODER_RANGE], coders[at + CODER_RANGE + 1u]);
  position = coders[at + CODER_POSITION];
  start = coders[at + CODER_START];
  length = coders[at + CODER_LENGTH];
  failure = coders[at + CODER_FAILURE];
}

fn store(at: u32, step: u32) {
  coders[at + CODER_OFFSET] = offset.x;
  coders[at + CODER_OFFSET + 1u] = offset.y;
  coders[at + CODER_RANGE] = range.x;
  coders[at + CODER_RANGE + 1u] = range.y;
  coders[at + CODER_POSITION] = position;
  if (coders[at + CODER_FAILURE] == failure) { return; }
  coders[at + CODER_FAILURE] = failure;
  coders[at + CODER_FAILED_STEP] = step;
}

// Streams first to end - 1; four to a word, of which other groups may have a part.
fn decode_batch(first: u32, end: u32, lives: u32, row: u32) {
  var word = 0u;
  var mask = 0u;
  for (var b = first; b < end; b++) {
    let at = 8u * (b % 4u);
    mask |= 255u << at;
    if (b < lives && failure == 0u) { word |= symbol_of(b, first) << at; }
    if (b % 4u < 3u && b + 1u < end) { continue; }
    atomicAnd(&bytes[row + b / 4u], ~mask);
    atomicOr(&bytes[row + b / 4u], word);
    word = 0u;
    mask = 0u;
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  // Rounded down as by shareOfGroup, without a product beyond 32 bits.
  let first = group.x * (STREAMS / groups.x) + group.x * (STREAMS % groups.x) / groups.x;
  let next = group.x + 1u;
  let end = next * (STREAMS / groups.x) + next * (STREAMS % groups.x) / groups.x;
  let step = u32(control[AT_STEP]);
  let lives = select(STREAMS, live[1], step == live[0]);
  let row = step % PAST_ROWS * ROW_WORDS;
  let at = group.x * CODER_FIELDS;
  load(at);
  if (LANES == 1u) {
    decode_batch(first, end, lives, row);
  } else {
    for (var from_stream = first; from_stream < end; from_stream += BATCH) {
      let until = min(from_stream + BATCH, end);
      for (var i = lane; i < (until - from_stream) * 256u; i += LANES) { near[i] = ends[from_stream * 256u + i]; }
      workgroupBarrier();
      if (lane == 0u) { decode_batch(from_stream, until, lives, row); }
      workgroupBarrier();
    }
  }
  if (lane == 0u) { store(at, step); }
}
