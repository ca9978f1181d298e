// decode: takes the bytes of one step out of the coder groups' payloads, by the frequencies in `ends`, and puts them
// into the row of this step, where the rest of the step finds them. src/coder/range.ts on the device.
//
//   unit = range >> 22      symbol = the first whose end * unit > offset      start = its start * unit
//   offset -= start         range = end * unit - start         while range <= 2^32: 16 bits more, from the payload
//
// Exact: numbers of up to 48 bits are two words, and products of 22 by 26 bits are made of four of 16 by 16 or fewer.
// The host's coder compares an end with floor(offset / unit), which is the same as end * unit with offset.
//
// A workgroup to a coder group, whose streams are decoded one after the other, since each begins where the one before
// left the range: by one invocation (decode_alone.wgsl), or by many that look at the frequencies together
// (decode_together.wgsl) and know all else alike. A group that fails gives zeros from there on, and says why.

@group(0) @binding(0) var<storage, read> ends: array<u32>;                  // B x 256
@group(0) @binding(1) var<storage, read> payloads: array<u32>;              // packed u8, each from a whole word on
@group(0) @binding(2) var<storage, read> control: array<i32>;                // control numbers, see end_step
@group(0) @binding(3) var<storage, read> live: array<u32>;                  // a step's number, its live streams
@group(0) @binding(4) var<storage, read_write> coders: array<u32>;          // G x CODER_FIELDS
@group(0) @binding(5) var<storage, read_write> bytes: array<atomic<u32>>;   // PAST_ROWS x ROW_WORDS, packed u8

const VALUE_OUTSIDE_TABLE = 1u;
const DATA_TOO_SHORT = 2u;
const TAIL_BYTES = 6u;   // of implied zeros after the end of a payload

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

// The payload's word that has the next bytes, and the one behind it, which was asked for when this one was reached.
var<private> word_at: u32;
var<private> word_now: u32;
var<private> word_next: u32;

fn begin_payload() {
  word_at = (start + position) / 4u;
  word_now = payloads[word_at];
  word_next = payloads[word_at + 1u];
}

// Two bytes, which lie in one word: a payload starts with a word, and what has been read is always even. Those behind
// the payload's end are zeros.
fn payload_word() -> u32 {
  let at = position;
  position += 2u;
  if (position > length + TAIL_BYTES) { failure = DATA_TOO_SHORT; }
  let index = (start + at) / 4u;
  if (index != word_at) {
    word_at = index;
    word_now = word_next;
    word_next = payloads[index + 1u];
  }
  let shift = 8u * (at % 4u);
  let first = select(0u, extractBits(word_now, shift, 8u), at < length);
  return 256u * first + select(0u, extractBits(word_now, shift + 8u, 8u), at + 1u < length);
}

// Takes a symbol out, from where it begins to where it ends.
fn narrow(below: vec2<u32>, end: vec2<u32>) {
  offset = minus(offset, below);
  range = minus(end, below);
  while (failure == 0u && !is_above(range, vec2<u32>(1u, 0u))) {
    offset = vec2<u32>((offset.x << 16u) | (offset.y >> 16u), (offset.y << 16u) | payload_word());
    range = vec2<u32>((range.x << 16u) | (range.y >> 16u), range.y << 16u);
  }
}

fn unit_of_range() -> u32 { return (range.x << 10u) | (range.y >> 22u); }

// Symbols of four streams, packed, and the bits of the word that are this group's.
var<private> packed: u32;
var<private> mask: u32;

// The symbol of stream b, of those up to end - 1: other groups may have a part of its word.
fn put_symbol(b: u32, end: u32, symbol: u32, row: u32, lane: u32) {
  let at = 8u * (b % 4u);
  mask |= 255u << at;
  packed |= symbol << at;
  if (b % 4u < 3u && b + 1u < end) { return; }
  if (lane == 0u) {
    atomicAnd(&bytes[row + b / 4u], ~mask);
    atomicOr(&bytes[row + b / 4u], packed);
  }
  packed = 0u;
  mask = 0u;
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

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  // Rounded down as by shareOfGroup, without a product beyond 32 bits.
  let first = group.x * (model.STREAMS / groups.x) + group.x * (model.STREAMS % groups.x) / groups.x;
  let next = group.x + 1u;
  let end = next * (model.STREAMS / groups.x) + next * (model.STREAMS % groups.x) / groups.x;
  let step = u32(control[AT_STEP]);
  let lives = select(model.STREAMS, live[1], step == live[0]);
  let row = step % PAST_ROWS * model.ROW_WORDS;
  let at = group.x * CODER_FIELDS;
  load(at);
  begin_payload();
  decode_streams(first, end, lives, row, lane);
  if (lane == 0u) { store(at, step); }
}
