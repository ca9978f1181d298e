// Counters beside the histories of a lane's first contexts, and the two weight sets and two choices of the second layer
// that come with them: docs/MIXER.md, "Counters", "Sets", "Second layer". mixer_no_counters.wgsl is the same for lanes
// that have none.
//
// Exact: as maps of states. A counter is p (Q22) above a count of 10 bits, 0 has seen nothing. Those of a nibble's
// lines come into workgroup memory with the line and go back with it (mixer_contexts.wgsl). A bit reads them before its
// sums and writes them behind, a barrier between; those of context i only invocation i % LANES writes.

// A counter that has seen nothing, when it learns: 1/2.
const COUNTER_HALF = 0x80000000u;
// Nodes 1 ... 15: an odd number, so that contexts begin in different banks of memory.
const COUNTED_NODES = 15u;
var<workgroup> near_counters: array<array<u32, COUNTED_NODES>, CONTEXT_ROOM>;

// The first word of context i's counters, behind that of node 0, which there is not.
fn counters_of(i: u32) -> u32 { return counters_at + COUNTER_LINE_WORDS * line_numbers[i] + 1u; }

// With the line of context i, if that has counters.
fn bring_counters(i: u32, is_new: bool) {
  if (i >= counted) { return; }
  let at = counters_of(i);
  for (var n = 0u; n < COUNTED_NODES; n++) {
    var cell = 0u;
    if (!is_new) { cell = lines[at + n]; }
    near_counters[i][n] = cell;
  }
}

fn store_counters(i: u32) {
  if (i >= counted) { return; }
  let at = counters_of(i);
  for (var n = 0u; n < COUNTED_NODES; n++) { lines[at + n] = near_counters[i][n]; }
}

// Log odds of context i's counter, if it has one that has seen anything.
fn counter_odds(i: u32) -> i32 {
  if (i >= counted) { return 0; }
  let cell = near_counters[i][line_node - 1u];
  return select(stretched(cell >> (COUNT_BITS + 10u)), 0, cell == 0u);
}

// Word p of their inputs.
fn counters_input(p: u32) -> u32 { return pair(counter_odds(2u * p), counter_odds(2u * p + 1u)); }

fn learn_counters(bit: u32, lane: u32) {
  for (var i = lane; i < counted; i += LANES) {
    let cell = near_counters[i][line_node - 1u];
    let rate = i32(table_half(TABLE_RECIPROCALS, extractBits(cell, 0u, COUNT_BITS)));
    near_counters[i][line_node - 1u] = learnt_cell(select(cell, COUNTER_HALF, cell == 0u), rate, bit);
  }
}

// By the last two bytes, and by the letters that the last bytes are.
fn choose_more(k: u32) {
  let by_pair = (((last & 65535u) * 8u + k) * MIX_MULTIPLIER) >> 20u;
  let by_letters = letters * 256u + bit_node;
  choose_set(6u, u32(SET_STARTS[6]) + by_pair);
  choose_set(7u, u32(SET_STARTS[7]) + by_letters);
  final_words[2] = learnt_at + LEARNT_FINALS + (u32(FINAL_STARTS[2]) + by_pair) * SET_COUNT;
  final_words[3] = learnt_at + LEARNT_FINALS + (u32(FINAL_STARTS[3]) + by_letters) * SET_COUNT;
}

// Where weight i of the second layer lies, of all choices; and the probability that its choice has made.
fn final_word(i: u32) -> u32 { return final_words[i / SET_COUNT] + i % SET_COUNT; }
fn final_probability(i: u32) -> i32 { return final_p[i / SET_COUNT]; }

// The mean of four choices.
fn mixed_odds() -> i32 {
  var sum = 0;
  for (var choice = 0u; choice < FINAL_COUNT; choice++) { sum += mix_final(choice); }
  return sum >> 2u;
}
