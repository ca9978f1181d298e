// The probability of a bit, and what the bit teaches. docs/MIXER.md, "A bit" and "Learning a bit y".
//
//   odds of a set = (sum of weight * input) >> 10      odds of a choice = (sum of (weight >> 14) * (odds >> 2)) >> 12
//
// Exact: sums are i32 and wrap, so their order is free: each invocation sums the products of its own words of the
// inputs, then one to a set sums those. Everything behind is done by all invocations alike.
// Formats: inputs Q8, i16; weights Q14, i16; odds Q12; weights of the second layer Q28; probabilities of 16 bits.
//
// Every word that is written belongs to one invocation: word i of inputs and weights, and what belongs to context i, to
// invocation i % LANES, as do order 0 and the map of matches to that of the word behind the contexts'; a row of the
// refining map to the first.
//
// A bit is short, and a load from memory takes as long as a hundred operations: so an invocation asks for all that a
// bit needs at once, keeps it, and learns from what it has kept. On hardware it has one word of each (OWN_… = 1), and
// these arrays are registers.

var<private> input_words: u32;
// The lane's first word of what it has learnt, and of the parts that depend on the number of contexts.
var<private> learnt_at: u32;
var<private> run_map_at: u32;
var<private> maps_at: u32;
var<private> weights_at: u32;

// Words that an invocation has, at most: of inputs and of a weight set, of the second layer, of a row.
const OWN_INPUTS = (INPUT_ROOM + LANES - 1) / LANES;
const OWN_FINALS = (FINAL_COUNT * SET_COUNT + LANES - 1) / LANES;
const OWN_ROW = (REFINE_ROW_WORDS + LANES - 1) / LANES;

// Its words of inputs: of a context the odds of its state and of its run; of the rest in pairs. Its weights, by set.
var<private> own_inputs: array<u32, OWN_INPUTS>;
var<private> own_weights: array<array<u32, SET_COUNT>, OWN_INPUTS>;
// Each context's cell of its map, or the word of order 0; the word of the run's map.
var<private> own_cells: array<u32, OWN_INPUTS>;
var<private> own_runs: array<u32, OWN_INPUTS>;
// What a context's state becomes, of either bit, 8 bits each; how far its cell moves.
var<private> own_next: array<u32, OWN_INPUTS>;
var<private> own_rates: array<u32, OWN_INPUTS>;
var<private> own_finals: array<i32, OWN_FINALS>;
var<workgroup> row: array<u32, REFINE_ROW_WORDS>;
// By the class of a match's length; it lies here for the whole dispatch, since all invocations read it.
var<workgroup> match_map: array<i32, MATCH_LENGTH_CLASSES>;
// A place more than there are invocations, so that those of all sets find theirs in banks of their own.
var<workgroup> sums: array<array<i32, LANES + 1>, SET_COUNT>;
var<workgroup> set_odds: array<i32, SET_COUNT>;
var<workgroup> set_p: array<i32, SET_COUNT>;
// The weights of all choices of the second layer, one after the other.
var<workgroup> final_weights: array<i32, FINAL_COUNT * SET_COUNT>;

// Of the bit that is on its way: its node in the byte and in the nibble, the match's part in it, its choices.
const NO_MATCH = 0xffffffffu;
var<private> bit_node: u32;
var<private> line_node: u32;
var<private> match_class: u32;
var<private> match_bit: u32;
var<private> set_words: array<u32, SET_COUNT>;
var<private> final_words: array<u32, FINAL_COUNT>;
var<private> final_p: array<i32, FINAL_COUNT>;
var<private> row_at: u32;
var<private> nearest: u32;

fn lower(word: u32) -> i32 { return extractBits(i32(word), 0u, 16u); }
fn upper(word: u32) -> i32 { return i32(word) >> 16u; }
fn pair(low: i32, high: i32) -> u32 { return (u32(low) & 0xffffu) | (u32(high) << 16u); }

fn half_of(word: u32, i: u32) -> i32 { return i32(extractBits(word, 16u * (i % 2u), 16u)); }
fn learnt_half(at: u32, i: u32) -> i32 { return half_of(learnt[at + i / 2u], i); }

// A word of two probabilities of 16 bits, of which the i-th comes closer to what it should have been.
fn towards(word: u32, i: u32, target_p: i32, shift: u32) -> u32 {
  let p = half_of(word, i);
  return insertBits(word, u32(p + ((target_p - p) >> shift)), 16u * (i % 2u), 16u);
}

// A match's length, in classes that widen.
fn length_class(length: u32) -> u32 {
  let l = min(length, MATCH_LENGTH_MAX);
  if (l < 16u) { return l; }
  if (l < 32u) { return 16u + ((l - 16u) >> 2u); }
  if (l < 64u) { return 20u + ((l - 32u) >> 3u); }
  return 24u + min(7u, (l - 64u) >> 5u);
}

// Whether a byte behind a leading 1 begins with the bits so far, k of them; and its next bit.
fn takes_part(byte: u32, k: u32) -> bool { return (byte >> (8u - k)) == bit_node; }
fn next_bit(byte: u32, k: u32) -> u32 { return (byte >> (7u - k)) & 1u; }
fn signed(odds: i32, bit: u32) -> i32 { return select(-odds, odds, bit == 1u); }

// Where word i's maps lie: of a context the cell of its state and the word of its run, else order 0.
fn cell_word(i: u32) -> u32 {
  let of_context = maps_at + 256u * i + state_of(min(i, CONTEXT_ROOM - 1u), line_node);
  return select(learnt_at + LEARNT_ORDER0 + bit_node / 2u, of_context, i < contexts);
}
fn run_word(i: u32) -> u32 { return run_map_at + RUN_MAP_ROW_WORDS * i + run_classes[i] / 2u; }

// Word n of this invocation, the i-th of all: asks for everything that depends on memory.
fn bring_word(n: u32, i: u32) {
  own_cells[n] = learnt[cell_word(i)];
  own_runs[n] = learnt[run_word(min(i, contexts - 1u))];
  for (var j = 0u; j < SET_COUNT; j++) { own_weights[n][j] = learnt[set_words[j] + i]; }
}

// What context i will learn by, from the tables that all share.
fn bring_tables(n: u32, i: u32) {
  if (i >= contexts) { return; }
  own_next[n] = table_half(TABLE_NEXT, state_of(i, line_node));
  own_rates[n] = table_half(TABLE_RECIPROCALS, extractBits(own_cells[n], 0u, COUNT_BITS));
}

// The odds of both probabilities of word i, those of 16 bits: a context's state and run; order 0 and the match; then
// the match's distance from 1/2, and the constant; then counters, if there are any.
fn input_of(n: u32, i: u32, k: u32, match_p: i32) -> u32 {
  let is_context = i < contexts;
  let c = min(i, contexts - 1u);
  let cell = own_cells[n];
  let byte = run_bytes[c];
  let has_match = match_class != NO_MATCH;
  // A state that has seen nothing has no cell, nor odds.
  let first = select(u32(half_of(cell, bit_node)) >> 4u, cell >> (COUNT_BITS + 10u), is_context);
  let second = select(match_p, half_of(own_runs[n], run_classes[c]), is_context);
  let has_second = select(has_match, takes_part(byte, k), is_context);
  let second_bit = select(match_bit, next_bit(byte, k), is_context);
  let odds = select(stretched(first), 0, is_context && cell == 0u);
  let second_odds = select(0, signed(stretched(u32(second) >> 4u), second_bit), has_second);
  if (i <= contexts) { return pair(odds, second_odds); }
  if (i == contexts + 1u) { return pair(signed((match_p - 32768) >> 6u, match_bit), 256); }
  return counters_input(i - contexts - 2u);
}

// How many of some contexts have seen anything.
fn known_contexts() -> u32 {
  var known = 0u;
  for (var i = u32(KNOWN_FIRST); i < min(KNOWN_END, contexts); i++) {
    known += select(1u, 0u, state_of(i, line_node) == 0u);
  }
  return known;
}

fn choose_set(j: u32, number: u32) { set_words[j] = weights_at + number * input_words; }

// The weight sets and the choices of the second layer.
fn choose(k: u32) {
  let takes = expected > 0u && takes_part((expected - 1u) | 256u, k);
  match_bit = next_bit(expected - 1u, k);
  match_class = select(NO_MATCH, length_class(match_length), takes);
  var long = 0u;
  if (takes) { long = select(select(3u, 2u, match_length < 24u), 1u, match_length < 12u); }
  let certainty = (long * 8u + k) * 8u + known_contexts();
  let b1 = last & 255u;
  let b2 = (last >> 8u) & 255u;
  var fifth = (b1 >> 5u) * 64u + (b2 >> 5u) * 8u;
  if (stride > 0u) { fifth = near_bytes[AT_STRIDE] * 8u; } else if (is_binary()) { fifth = both_places() * 8u; }
  choose_set(0u, bit_node);
  choose_set(1u, u32(SET_STARTS[1]) + b1 * 8u + k);
  choose_set(2u, u32(SET_STARTS[2]) + certainty);
  choose_set(3u, u32(SET_STARTS[3]) + (shape & select(4095u, 255u, stride > 0u)));
  choose_set(4u, u32(SET_STARTS[4]) + fifth + k);
  choose_set(5u, u32(SET_STARTS[5]) + select(0u, expected, takes));
  final_words[0] = learnt_at + LEARNT_FINALS + certainty * SET_COUNT;
  final_words[1] = learnt_at + LEARNT_FINALS + (FINAL_FIRST + bit_node) * SET_COUNT;
  choose_more(k);
  row_at = refine_place((b1 << 8u) | bit_node);
}

// Inputs and products of this invocation's words, into memory of the workgroup; the row of the refining map, too.
fn gather(k: u32, lane: u32) {
  for (var n = 0u; n < OWN_INPUTS; n++) {
    let i = lane + n * LANES;
    if (i < input_words) { bring_word(n, i); }
  }
  for (var n = 0u; n < OWN_FINALS; n++) {
    let i = lane + n * LANES;
    if (i < FINAL_COUNT * SET_COUNT) { own_finals[n] = i32(learnt[final_word(i)]); }
  }
  var own_row = array<u32, OWN_ROW>();
  for (var n = 0u; n < OWN_ROW; n++) {
    let i = lane + n * LANES;
    if (i < REFINE_ROW_WORDS) { own_row[n] = refine_word(row_at + i); }
  }
  let match_p = select(32768, match_map[min(match_class, MATCH_LENGTH_CLASSES - 1u)], match_class != NO_MATCH);
  var own = array<i32, SET_COUNT>();
  for (var n = 0u; n < OWN_INPUTS; n++) {
    let i = lane + n * LANES;
    if (i >= input_words) { break; }
    bring_tables(n, i);
    let x = input_of(n, i, k, match_p);
    own_inputs[n] = x;
    for (var j = 0u; j < SET_COUNT; j++) {
      own[j] += lower(own_weights[n][j]) * lower(x) + upper(own_weights[n][j]) * upper(x);
    }
  }
  for (var j = 0u; j < SET_COUNT; j++) { sums[j][lane] = own[j]; }
  for (var n = 0u; n < OWN_FINALS; n++) {
    let i = lane + n * LANES;
    if (i < FINAL_COUNT * SET_COUNT) { final_weights[i] = own_finals[n]; }
  }
  for (var n = 0u; n < OWN_ROW; n++) {
    let i = lane + n * LANES;
    if (i < REFINE_ROW_WORDS) { row[i] = own_row[n]; }
  }
}

// Log odds and probabilities of the sets.
fn mix_sets(lane: u32) {
  for (var j = lane; j < SET_COUNT; j += LANES) {
    var sum = 0;
    for (var n = 0u; n < LANES; n++) { sum += sums[j][n]; }
    let odds = clamp(sum >> 10u, -(STRETCH_MAX << 4u), STRETCH_MAX << 4u);
    set_odds[j] = odds;
    set_p[j] = squashed(odds >> 4u);
  }
}

// Log odds of a choice of the second layer.
fn mix_final(choice: u32) -> i32 {
  var sum = 0;
  for (var j = 0u; j < SET_COUNT; j++) { sum += (final_weights[choice * SET_COUNT + j] >> 14u) * (set_odds[j] >> 2u); }
  let odds = clamp(sum >> 12u, -SQUASH_MAX, SQUASH_MAX);
  final_p[choice] = squashed(odds >> 4u);
  return odds;
}

fn row_half(i: u32) -> i32 { return half_of(row[i / 2u], i); }

// The probability that bit k of the byte is a 1, 16 bits; all invocations come here, and leave with the same.
fn predict_bit(k: u32, node: u32, lane: u32) -> u32 {
  bit_node = node;
  let bit = 1u << (k % 4u);
  line_node = bit | (node & (bit - 1u));
  choose(k);
  gather(k, lane);
  workgroupBarrier();
  mix_sets(lane);
  workgroupBarrier();
  let odds = mixed_odds();
  let low = squashed(odds >> 4u);
  let between = low + (((squashed((odds >> 4u) + 1) - low) * (odds & 15) + 8) >> 4u);
  let coarse = clamp(odds >> 4u, -STRETCH_MAX, STRETCH_MAX) + 2048;
  let cell = u32(coarse) >> 7u;
  let part = coarse & 127;
  nearest = u32(coarse + 64) >> 7u;
  let refined = (row_half(cell) * (128 - part) + row_half(cell + 1u) * part) >> 7u;
  return u32(clamp((between + refined + 1) >> 1u, PROBABILITY_MIN, 65536 - PROBABILITY_MIN));
}

fn moved_weight(weight: i32, input: i32, step: i32) -> u32 {
  return u32(clamp(weight + ((input * step + (1 << 14u)) >> 15u), -WEIGHT_MAX - 1, WEIGHT_MAX)) & 0xffffu;
}

// The step of an error: (target - p) * rate, Q16 rounded.
fn step_of(bit: u32, p: i32, rate: i32) -> i32 { return round_shift(((i32(bit) << 16u) - p) * rate, 16u); }

fn learn_weights(bit: u32, lane: u32) {
  var steps = array<i32, SET_COUNT>();
  for (var j = 0u; j < SET_COUNT; j++) { steps[j] = step_of(bit, set_p[j], RATE); }
  for (var n = 0u; n < OWN_INPUTS; n++) {
    let i = lane + n * LANES;
    if (i >= input_words) { break; }
    let x = own_inputs[n];
    for (var j = 0u; j < SET_COUNT; j++) {
      let weights = own_weights[n][j];
      let low = moved_weight(lower(weights), lower(x), steps[j]);
      learnt[set_words[j] + i] = low | (moved_weight(upper(weights), upper(x), steps[j]) << 16u);
    }
  }
  for (var n = 0u; n < OWN_FINALS; n++) {
    let i = lane + n * LANES;
    if (i >= FINAL_COUNT * SET_COUNT) { break; }
    let step = step_of(bit, final_probability(i), FINAL_RATE);
    let moved = own_finals[n] + step * (set_odds[i % SET_COUNT] >> 4u);
    learnt[final_word(i)] = u32(clamp(moved, -FINAL_MAX, FINAL_MAX - 1));
  }
}

// A map's cell, or a counter, that has seen one bit more: a probability (Q22) above how many it has seen. The rate is
// that of its count.
fn learnt_cell(cell: u32, rate: i32, bit: u32) -> u32 {
  let count = extractBits(cell, 0u, COUNT_BITS);
  let p = i32(cell >> COUNT_BITS);
  let moved = clamp(p + (((((i32(bit) << 22u) - p) >> 7u) * rate) >> 8u), 64, (1 << 22u) - 64);
  return (u32(moved) << COUNT_BITS) | min(count + 1u, COUNT_LIMIT);
}

// Context i's map of what its state was, its run's map, its state.
fn learn_context(n: u32, i: u32, k: u32, bit: u32) {
  let byte = run_bytes[i];
  if (takes_part(byte, k)) {
    let target_p = select(0, 65535, next_bit(byte, k) == bit);
    learnt[run_word(i)] = towards(own_runs[n], run_classes[i], target_p, 7u);
  }
  let state = state_of(i, line_node);
  store_state(i, line_node, extractBits(own_next[n], 8u * bit, 8u));
  if (state == 0u) { return; }
  learnt[maps_at + 256u * i + state] = learnt_cell(own_cells[n], i32(own_rates[n]), bit);
}

// Order 0 and the match, of word n of this invocation.
fn learn_others(n: u32, bit: u32) {
  learnt[cell_word(contexts)] = towards(own_cells[n], bit_node, select(0, 65535, bit == 1u), 6u);
  if (match_class == NO_MATCH) { return; }
  let p = match_map[match_class];
  match_map[match_class] = max(p + ((select(0, 65535, match_bit == bit) - p) >> 7u), MATCH_PROBABILITY_MIN);
}

// Learns the bit that was predicted last.
fn learn_bit(k: u32, bit: u32, lane: u32) {
  learn_weights(bit, lane);
  for (var n = 0u; n < OWN_INPUTS; n++) {
    let i = lane + n * LANES;
    if (i < contexts) { learn_context(n, i, k, bit); }
    if (i == contexts) { learn_others(n, bit); }
  }
  learn_counters(bit, lane);
  if (lane == 0u) {
    let moved = towards(row[nearest / 2u], nearest, select(0, 65535, bit == 1u), 6u);
    store_refine_word(row_at + nearest / 2u, moved);
  }
}
