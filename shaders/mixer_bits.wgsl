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

var<private> input_words: u32;
// The lane's first word of what it has learnt, and of the parts that depend on the number of contexts.
var<private> learnt_at: u32;
var<private> run_map_at: u32;
var<private> maps_at: u32;
var<private> weights_at: u32;

// Words of inputs: of a context the odds of its state and of its run; of the rest in pairs.
var<workgroup> inputs: array<u32, INPUT_ROOM>;
var<workgroup> chosen_weights: array<array<u32, INPUT_ROOM>, SET_COUNT>;
// Each context's cell of its map.
var<workgroup> cells: array<u32, CONTEXT_ROOM>;
var<workgroup> row: array<u32, REFINE_ROW_WORDS>;
// By the class of a match's length; it lies here for the whole dispatch, since two invocations read it.
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

fn learnt_half(at: u32, i: u32) -> i32 { return i32(extractBits(learnt[at + i / 2u], 16u * (i % 2u), 16u)); }

// A probability of 16 bits comes closer to what it should have been.
fn towards(at: u32, i: u32, target_p: i32, shift: u32) {
  let p = learnt_half(at, i);
  learnt[at + i / 2u] = insertBits(learnt[at + i / 2u], u32(p + ((target_p - p) >> shift)), 16u * (i % 2u), 16u);
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

// Log odds of context i's state and run.
fn context_input(i: u32, k: u32) -> u32 {
  let cell = learnt[maps_at + 256u * i + state_of(i, line_node)];
  cells[i] = cell;
  // A state that has seen nothing has no cell, nor odds.
  let odds = select(stretched(cell >> (COUNT_BITS + 10u)), 0, cell == 0u);
  let byte = run_bytes[i];
  if (!takes_part(byte, k)) { return pair(odds, 0); }
  let p = learnt_half(run_map_at + RUN_MAP_ROW_WORDS * i, run_classes[i]);
  return pair(odds, signed(stretched(u32(p) >> 4u), next_bit(byte, k)));
}

// Order 0 and the match; then the match's distance from 1/2, and the constant; then counters, if there are any.
fn other_input(i: u32) -> u32 {
  if (i > contexts + 1u) { return counters_input(i - contexts - 2u); }
  var p = 32768;
  if (match_class != NO_MATCH) { p = match_map[match_class]; }
  if (i > contexts) { return pair(signed((p - 32768) >> 6u, match_bit), 256); }
  let odds = select(signed(stretched(u32(p) >> 4u), match_bit), 0, match_class == NO_MATCH);
  return pair(stretched(u32(learnt_half(learnt_at + LEARNT_ORDER0, bit_node)) >> 4u), odds);
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
  row_at = learnt_at + LEARNT_REFINE + ((b1 << 8u) | bit_node) * REFINE_ROW_WORDS;
}

// Inputs and products of this invocation's words, into memory of the workgroup; the row of the refining map, too.
fn gather(k: u32, lane: u32) {
  var own = array<i32, SET_COUNT>();
  for (var i = lane; i < input_words; i += LANES) {
    var x = 0u;
    if (i < contexts) { x = context_input(i, k); } else { x = other_input(i); }
    inputs[i] = x;
    for (var j = 0u; j < SET_COUNT; j++) {
      let weights = learnt[set_words[j] + i];
      chosen_weights[j][i] = weights;
      own[j] += lower(weights) * lower(x) + upper(weights) * upper(x);
    }
  }
  for (var j = 0u; j < SET_COUNT; j++) { sums[j][lane] = own[j]; }
  for (var i = lane; i < FINAL_COUNT * SET_COUNT; i += LANES) { final_weights[i] = i32(learnt[final_word(i)]); }
  for (var i = lane; i < REFINE_ROW_WORDS; i += LANES) { row[i] = learnt[row_at + i]; }
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

fn row_half(i: u32) -> i32 { return i32(extractBits(row[i / 2u], 16u * (i % 2u), 16u)); }

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
  for (var j = 0u; j < SET_COUNT; j++) {
    let step = step_of(bit, set_p[j], RATE);
    for (var i = lane; i < input_words; i += LANES) {
      let weights = chosen_weights[j][i];
      let x = inputs[i];
      let low = moved_weight(lower(weights), lower(x), step);
      learnt[set_words[j] + i] = low | (moved_weight(upper(weights), upper(x), step) << 16u);
    }
  }
  for (var i = lane; i < FINAL_COUNT * SET_COUNT; i += LANES) {
    let step = step_of(bit, final_probability(i), FINAL_RATE);
    let moved = final_weights[i] + step * (set_odds[i % SET_COUNT] >> 4u);
    learnt[final_word(i)] = u32(clamp(moved, -FINAL_MAX, FINAL_MAX - 1));
  }
}

// A map's cell, or a counter, that has seen one bit more: a probability (Q22) above how many it has seen.
fn learnt_cell(cell: u32, bit: u32) -> u32 {
  let count = extractBits(cell, 0u, COUNT_BITS);
  let p = i32(cell >> COUNT_BITS);
  let rate = i32(table_half(TABLE_RECIPROCALS, count));
  let moved = clamp(p + (((((i32(bit) << 22u) - p) >> 7u) * rate) >> 8u), 64, (1 << 22u) - 64);
  return (u32(moved) << COUNT_BITS) | min(count + 1u, COUNT_LIMIT);
}

// Context i's map of what its state was, its run's map, its state.
fn learn_context(i: u32, k: u32, bit: u32) {
  let byte = run_bytes[i];
  if (takes_part(byte, k)) {
    let target_p = select(0, 65535, next_bit(byte, k) == bit);
    towards(run_map_at + RUN_MAP_ROW_WORDS * i, run_classes[i], target_p, 7u);
  }
  let state = state_of(i, line_node);
  store_state(i, line_node, table_byte(TABLE_NEXT, 2u * state + bit));
  if (state == 0u) { return; }
  learnt[maps_at + 256u * i + state] = learnt_cell(cells[i], bit);
}

// Order 0 and the match.
fn learn_others(bit: u32) {
  towards(learnt_at + LEARNT_ORDER0, bit_node, select(0, 65535, bit == 1u), 6u);
  if (match_class == NO_MATCH) { return; }
  let p = match_map[match_class];
  match_map[match_class] = max(p + ((select(0, 65535, match_bit == bit) - p) >> 7u), MATCH_PROBABILITY_MIN);
}

// Learns the bit that was predicted last.
fn learn_bit(k: u32, bit: u32, lane: u32) {
  learn_weights(bit, lane);
  for (var i = lane; i < contexts; i += LANES) { learn_context(i, k, bit); }
  learn_counters(bit, lane);
  if (lane == contexts % LANES) { learn_others(bit); }
  if (lane == 0u) { towards(row_at, nearest, select(0, 65535, bit == 1u), 6u); }
}
