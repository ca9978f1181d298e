// mixer: lanes of the bit mixer take the next bytes of a block, each with its coder: docs/MIXER.md, all of it.
//
//   encode: bytes of `plain` are coded into `coded`    decode: those of `coded` into `plain`    study: only learnt
//   cue: a byte that the lane is reminded of on the way, in any of these: histories and runs learn it, nothing else
//
// A workgroup to a lane, LANES invocations; lanes share nothing. A byte is 8 bits one after the other, a bit three
// phases between barriers: inputs and products, sums, and what all invocations do alike: the probability, the coder,
// what the bit teaches. Scalars are each invocation's own, and all have the same ones. What lies in memory is written
// by one invocation to a word, and read by others behind a barrier only; storage that others read is written in one
// byte and read in a later one, with a storageBarrier between.
//
// Exact: integers throughout, and no sum depends on its order or on how many invocations there are. Coded bytes behind
// a payload's end are read as zeros, so that damaged ones lead nowhere.

@group(0) @binding(0) var<storage, read> tables: array<u32>;             // TABLE_END, tallies: see mixer-layout.ts
@group(0) @binding(1) var<storage, read> jobs: array<u32>;               // JOB_END, then lanes x LANE_JOB_END
@group(0) @binding(2) var<storage, read_write> learnt: array<u32>;       // lanes x what a lane has learnt
@group(0) @binding(3) var<storage, read_write> seen: array<u32>;         // lanes x SEEN_END
@group(0) @binding(4) var<storage, read_write> lines: array<u32>;        // lanes x (lines, their runs, counters)
@group(0) @binding(5) var<storage, read_write> history: array<u32>;      // lanes x the bytes of the block, packed u8
@group(0) @binding(6) var<storage, read_write> plain: array<u32>;        // lanes x RESULT_WORDS, lanes x packed u8
@group(0) @binding(7) var<storage, read_write> coded: array<u32>;        // each lane's from a whole word on, packed u8

// The lane's first word in `seen`.
var<private> seen_at: u32;

var<private> low: u32;
var<private> high: u32;
var<private> code: u32;
// Coded bytes that were written in this dispatch, or read from this payload.
var<private> position: u32;
var<private> coded_at: u32;
var<private> coded_bytes: u32;

// The word of `coded` that position is in.
var<private> coded_word: u32;

fn coded_byte() -> u32 {
  let at = position;
  position++;
  if (at >= coded_bytes) { return 0u; }
  if (at % 4u == 0u) { coded_word = coded[coded_at + at / 4u]; }
  return extractBits(coded_word, 8u * (at % 4u), 8u);
}

fn store_coded_byte(byte: u32, lane: u32) {
  coded_word = insertBits(coded_word, byte, 8u * (position % 4u), 8u);
  if (lane == 0u) { coded[coded_at + position / 4u] = coded_word; }
}

// One bit through the coder, out or in; p is the probability of a 1.
fn code_bit(p: u32, bit: u32, mode: u32, lane: u32) -> u32 {
  if (mode == MODE_STUDY) { return bit; }
  let range = high - low;
  let middle = low + (range >> 16u) * p + (((range & 0xffffu) * p) >> 16u);
  let result = select(bit, select(0u, 1u, code <= middle), mode == MODE_DECODE);
  if (result == 1u) { high = middle; } else { low = middle + 1u; }
  while (((low ^ high) >> 24u) == 0u) {
    if (mode == MODE_DECODE) {
      code = (code << 8u) | coded_byte();
    } else {
      store_coded_byte(high >> 24u, lane);
      position++;
    }
    low <<= 8u;
    high = (high << 8u) | 255u;
  }
  return result;
}

fn load_sizes(group: u32) {
  contexts = jobs[JOB_CONTEXTS];
  input_words = jobs[JOB_INPUT_WORDS];
  line_bits = jobs[JOB_LINE_BITS];
  stride = jobs[JOB_STRIDE];
  let line_count = contexts << line_bits;
  counted = jobs[JOB_COUNTERS];
  lines_at = group * (4u * line_count + line_count / 2u + ((counted * COUNTER_LINE_WORDS) << line_bits));
  runs_at = lines_at + 4u * line_count;
  counters_at = runs_at + line_count / 2u;
  let weights_words = WEIGHT_SETS * input_words;
  let learnt_words = LEARNT_END + (RUN_MAP_ROW_WORDS + 256u) * contexts + weights_words;
  learnt_at = group * learnt_words;
  run_map_at = learnt_at + LEARNT_END;
  maps_at = run_map_at + RUN_MAP_ROW_WORDS * contexts;
  weights_at = maps_at + 256u * contexts;
  seen_at = group * SEEN_END;
  find_refine(group);
  history_at = group * jobs[JOB_HISTORY_WORDS];
}

// Scalars of the lane, on their way to all invocations, and back from the first.
var<workgroup> registers: array<u32, REGISTER_END>;

fn take_registers() {
  time = registers[REGISTER_TIME];
  last = registers[REGISTER_LAST];
  word = registers[REGISTER_WORD];
  word_before = registers[REGISTER_WORD_BEFORE];
  word_third = registers[REGISTER_WORD_THIRD];
  shape = registers[REGISTER_SHAPE];
  depth = registers[REGISTER_DEPTH];
  line_start = registers[REGISTER_LINE_START];
  line_before = registers[REGISTER_LINE_BEFORE];
  guess = i32(registers[REGISTER_GUESS]);
  guessed_delta = i32(registers[REGISTER_GUESSED_DELTA]);
  expected = registers[REGISTER_EXPECTED];
  match_length = registers[REGISTER_MATCH_LENGTH];
  match_at = registers[REGISTER_MATCH_AT];
  score = registers[REGISTER_SCORE];
  code_place = registers[REGISTER_PLACE];
  code_left = registers[REGISTER_LEFT];
  opcode = registers[REGISTER_OPCODE];
  is_second = registers[REGISTER_IS_SECOND];
  modrm = registers[REGISTER_MODRM];
  code_entry = registers[REGISTER_ENTRY];
  displacement = registers[REGISTER_DISPLACEMENT];
  immediate = registers[REGISTER_IMMEDIATE];
  opcodes = registers[REGISTER_OPCODES];
  wasm_opcodes = registers[REGISTER_WASM_OPCODES];
  wasm_left = registers[REGISTER_WASM_LEFT];
  letters = registers[REGISTER_LETTERS];
  low = registers[REGISTER_LOW];
  high = registers[REGISTER_HIGH];
  code = registers[REGISTER_CODE];
  position = registers[REGISTER_POSITION];
}

fn give_registers() {
  registers[REGISTER_TIME] = time;
  registers[REGISTER_LAST] = last;
  registers[REGISTER_WORD] = word;
  registers[REGISTER_WORD_BEFORE] = word_before;
  registers[REGISTER_WORD_THIRD] = word_third;
  registers[REGISTER_SHAPE] = shape;
  registers[REGISTER_DEPTH] = depth;
  registers[REGISTER_LINE_START] = line_start;
  registers[REGISTER_LINE_BEFORE] = line_before;
  registers[REGISTER_GUESS] = u32(guess);
  registers[REGISTER_GUESSED_DELTA] = u32(guessed_delta);
  registers[REGISTER_EXPECTED] = expected;
  registers[REGISTER_MATCH_LENGTH] = match_length;
  registers[REGISTER_MATCH_AT] = match_at;
  registers[REGISTER_SCORE] = score;
  registers[REGISTER_PLACE] = code_place;
  registers[REGISTER_LEFT] = code_left;
  registers[REGISTER_OPCODE] = opcode;
  registers[REGISTER_IS_SECOND] = is_second;
  registers[REGISTER_MODRM] = modrm;
  registers[REGISTER_ENTRY] = code_entry;
  registers[REGISTER_DISPLACEMENT] = displacement;
  registers[REGISTER_IMMEDIATE] = immediate;
  registers[REGISTER_OPCODES] = opcodes;
  registers[REGISTER_WASM_OPCODES] = wasm_opcodes;
  registers[REGISTER_WASM_LEFT] = wasm_left;
  registers[REGISTER_LETTERS] = letters;
  registers[REGISTER_LOW] = low;
  registers[REGISTER_HIGH] = high;
  registers[REGISTER_CODE] = code;
  registers[REGISTER_POSITION] = position;
}

// All that lies in workgroup memory between bytes. A barrier is between its parts, and one follows.
fn load_lane(lane: u32) {
  for (var i = lane; i < REGISTER_END; i += LANES) { registers[i] = seen[seen_at + SEEN_REGISTERS + i]; }
  for (var i = lane; i < MATCH_LENGTH_CLASSES; i += LANES) {
    match_map[i] = learnt_half(learnt_at + LEARNT_MATCH_MAP, i);
  }
  for (var i = lane; i < OPENED_MAX; i += LANES) { opened[i] = seen[seen_at + SEEN_OPENED + i]; }
  for (var i = lane; i < TAP_COUNT; i += LANES) {
    taps[i] = i32(seen[seen_at + SEEN_TAPS + i]);
    deltas[i] = i32(seen[seen_at + SEEN_DELTAS + i]);
  }
  workgroupBarrier();
  take_registers();
  for (var i = lane; i < RECENT; i += LANES) {
    let back = (time - 1u - i) % RECENT;
    recent[i] = 0u;
    if (back < time) { recent[i] = history_byte(time - 1u - back); }
  }
}

fn store_lane(lane: u32) {
  if (lane == 0u) { give_registers(); }
  workgroupBarrier();
  for (var i = lane; i < REGISTER_END; i += LANES) { seen[seen_at + SEEN_REGISTERS + i] = registers[i]; }
  for (var i = lane; i < MATCH_LENGTH_CLASSES / 2u; i += LANES) {
    learnt[learnt_at + LEARNT_MATCH_MAP + i] = pair(match_map[2u * i], match_map[2u * i + 1u]);
  }
  for (var i = lane; i < OPENED_MAX; i += LANES) { seen[seen_at + SEEN_OPENED + i] = opened[i]; }
  for (var i = lane; i < TAP_COUNT; i += LANES) {
    seen[seen_at + SEEN_TAPS + i] = u32(taps[i]);
    seen[seen_at + SEEN_DELTAS + i] = u32(deltas[i]);
  }
}

fn begin_coder(mode: u32) {
  if (jobs[JOB_BEGINS] == 1u) {
    low = 0u;
    high = 0xffffffffu;
    code = 0u;
    position = 0u;
    if (mode == MODE_DECODE) { for (var i = 0u; i < 4u; i++) { code = (code << 8u) | coded_byte(); } }
  }
  if (mode != MODE_DECODE) { position = 0u; }
  if (mode == MODE_DECODE && position < coded_bytes) { coded_word = coded[coded_at + position / 4u]; }
}

// Byte t of this dispatch, from and to the chunk.
fn plain_word(group: u32, t: u32) -> u32 {
  return jobs[JOB_LANES] * RESULT_WORDS + group * jobs[JOB_PLAIN_WORDS] + t / 4u;
}

// A byte is known: what one invocation writes of it, before what all keep.
fn store_byte(y: u32) {
  let at = time - 1u;
  recent[at % RECENT] = y;
  history[history_at + at / 4u] = word_of_last(at);
  store_text(y);
}

// The packed word that ends with the newest byte, byte `at` of some, of which those before it in the word are the
// newest, too.
fn word_of_last(at: u32) -> u32 {
  let reversed = (last << 24u) | ((last & 0xff00u) << 8u) | ((last >> 8u) & 0xff00u) | (last >> 24u);
  return reversed >> (24u - 8u * (at % 4u));
}

// Before a byte: what its contexts are made of, and their hashes. `now` is the number of bytes so far.
fn begin_byte(now: u32, lane: u32) {
  let block_stride = jobs[JOB_STRIDE];
  if (block_stride > 0u) {
    bring_near_bytes(lane);
    bring_samples(lane);
    workgroupBarrier();
    if (block_stride <= 3u && now % 2u == 0u) { guess_sample(lane); }
  }
  bring_parts(lane);
  workgroupBarrier();
  for (var i = lane; i < contexts; i += LANES) { hashes[i] = hash_context(i); }
}

// Whether byte t of this dispatch is one that the lane is reminded of: known, neither predicted nor coded.
fn is_cue(group: u32, t: u32) -> bool {
  let words = jobs[JOB_CUE_WORDS];
  if (words == 0u) { return false; }
  let flags = JOB_END + jobs[JOB_LANES] * LANE_JOB_END + group * words;
  return extractBits(jobs[flags + t / 32u], t % 32u, 1u) == 1u;
}

// A nibble: four bits behind `start`, the bits of the byte before them. Returns the node behind them.
fn take_nibble(half: u32, start: u32, byte: u32, mode: u32, lane: u32) -> u32 {
  for (var i = lane; i < contexts; i += LANES) {
    find_line(i, select(start - 15u, 0u, half == 0u));
  }
  workgroupBarrier();
  var node = start;
  if (mode == MODE_CUE) {
    let nibble = (byte >> (4u - 4u * half)) & 15u;
    for (var i = lane; i < contexts; i += LANES) { rehearse_line(i, nibble); }
    return 16u * start + nibble;
  }
  for (var k = 4u * half; k < 4u * half + 4u; k++) {
    let p = predict_bit(k, node, lane);
    let bit = code_bit(p, next_bit(byte, k), mode, lane);
    learn_bit(k, bit, lane);
    node = 2u * node + bit;
    workgroupBarrier();
  }
  for (var i = lane; i < contexts; i += LANES) { store_line(i); }
  return node;
}

// A byte is known, the newest of the past.
fn follow_byte(y: u32, lane: u32) {
  time++;
  last = (last << 8u) | y;
  for (var i = lane; i < contexts; i += LANES) { follow_run(i, y); }
  if (lane == 0u) { store_byte(y); }
  storageBarrier();
  workgroupBarrier();
  follow_text(y);
  follow_code(y);
  follow_match(y);
  workgroupBarrier();
  if (lane == 0u && new_place != NO_PLACE) { seen[seen_at + SEEN_PLACES + new_place] = time; }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let group = id.x;
  let job = JOB_END + group * LANE_JOB_END;
  let count = jobs[job + LANE_JOB_COUNT];
  let first = jobs[job + LANE_JOB_TIME];
  let mode = jobs[JOB_MODE];
  load_sizes(group);
  load_lane(lane);
  coded_at = jobs[job + LANE_JOB_CODED_AT];
  coded_bytes = jobs[job + LANE_JOB_CODED_BYTES];
  begin_coder(mode);
  storageBarrier();
  workgroupBarrier();
  // Four bytes of the chunk: those that the lane was told, and in their places those that it has decoded.
  var told = 0u;
  for (var t = 0u; t < count; t++) {
    let place = plain_word(group, t);
    if (t % 4u == 0u) { told = plain[place]; }
    let byte = extractBits(told, 8u * (t % 4u), 8u);
    begin_byte(first + t, lane);
    var node = 1u;
    let byte_mode = select(mode, MODE_CUE, is_cue(group, t));
    for (var half = 0u; half < 2u; half++) { node = take_nibble(half, node, byte, byte_mode, lane); }
    let y = node & 255u;
    follow_byte(y, lane);
    told = insertBits(told, y, 8u * (t % 4u), 8u);
    if (byte_mode == MODE_DECODE && lane == 0u) { plain[place] = told; }
  }
  store_lane(lane);
  if (lane == 0u) {
    plain[group * RESULT_WORDS] = position;
    plain[group * RESULT_WORDS + 1u] = low;
  }
}
