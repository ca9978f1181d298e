// What a lane's last bytes are to its contexts: hashes, the lines and runs that these lead to, and the match.
// docs/MIXER.md, "Contexts", "Lines", "Runs", "The match".
//
//   line = the one of its bucket with the check, else the one that has seen least, emptied
//
// Exact: all is u32, which wraps. A context belongs to one invocation, and its lines and runs are words of its own: a
// line is 4 words, a run 16 bits of a context that has an even number of lines. The match is followed by all of them
// alike, from what lies in memory since the last barrier.

var<private> contexts: u32;
var<private> line_bits: u32;
// The lane's first words.
var<private> lines_at: u32;
var<private> runs_at: u32;
// The first so many contexts have counters, which begin here.
var<private> counted: u32;
var<private> counters_at: u32;

var<workgroup> hashes: array<u32, CONTEXT_ROOM>;
// Of this nibble, for each context: its line's number in the lane, and the line: check, then nodes 1 ... 15.
var<workgroup> line_numbers: array<u32, CONTEXT_ROOM>;
var<workgroup> near_lines: array<array<u32, 4>, CONTEXT_ROOM>;
// Of the byte's runs, for each context: its line, the byte that it expects behind a leading 1 or else 0, and its
// length's class from 0.
var<workgroup> run_lines: array<u32, CONTEXT_ROOM>;
var<workgroup> run_bytes: array<u32, CONTEXT_ROOM>;
var<workgroup> run_classes: array<u32, CONTEXT_ROOM>;

// The byte that the match expects + 1, or 0; how many bytes have agreed; where it points.
var<private> expected: u32;
var<private> match_length: u32;
var<private> match_at: u32;
// Where the newest place is to be noted; NO_PLACE: nowhere.
const NO_PLACE = 0xffffffffu;
var<private> new_place: u32;

fn expected_value() -> u32 {
  if (expected == 0u) { return 0u; }
  return (expected << 3u) + min(match_length >> 2u, select(5u, 4u, match_length < 32u));
}

// The parts that contexts of this byte have.
var<workgroup> part_values: array<u32, PART_COUNT>;

// Before each byte; a barrier follows.
fn bring_parts(lane: u32) {
  let needed = tables[select(TABLE_PARTS, TABLE_PARTS + 1u, is_binary())];
  for (var i = lane; i < PART_COUNT; i += LANES) {
    if (extractBits(needed, i, 1u) == 1u) { part_values[i] = part_value(i); }
  }
}

fn part_value(part: u32) -> u32 {
  if (part < PART_EXPECTED) { return text_value(part); }
  if (part == PART_EXPECTED) { return expected_value(); }
  if (part < PART_X86) { return number_value(part); }
  return code_value(part);
}

// The hash of context i for the next byte.
fn hash_context(i: u32) -> u32 {
  let spec = u32(select(TABLE_SPECS, TABLE_BINARY_SPECS, is_binary())) + i * SPEC_WORDS;
  let order = tables[spec];
  var hash = 0u;
  for (var o = 1u; o <= order; o++) { hash = mix_into(hash, recent_byte(o)); }
  hash += i * CONTEXT_STEP;
  for (var parts = tables[spec + 1u]; parts != 0u; parts &= parts - 1u) {
    hash = mix_into(hash, part_values[countTrailingZeros(parts)]);
  }
  for (var j = 0u; j < OFFSETS_MAX; j++) {
    let far = tables[spec + 2u + j];
    if (far == 0u) { break; }
    hash = mix_into(hash, past_byte(far));
  }
  return finish_hash(hash);
}

fn run_of(line: u32) -> u32 { return extractBits(lines[runs_at + line / 2u], 16u * (line % 2u), 16u); }

fn store_run(line: u32, run: u32) {
  let place = runs_at + line / 2u;
  lines[place] = insertBits(lines[place], run, 16u * (line % 2u), 16u);
}

// What a line's first node has seen, from the line's first word.
fn seen_of(head: u32) -> u32 { return table_byte(TABLE_TOTAL, (head >> 8u) & 255u); }

// Brings the line of context i near. Half: 0, or the byte's high half + 1.
fn find_line(i: u32, half: u32) {
  var hash = hashes[i];
  if (half != 0u) { hash = finish_hash(hash + half * HALF_STEP); }
  let check = max(1u, hash & 255u);
  let first = (i << line_bits) + ((hash >> 8u) & ((1u << line_bits) - BUCKET_LINES));
  var found = NO_PLACE;
  var emptiest = first;
  var least = NO_PLACE;
  for (var j = 0u; j < BUCKET_LINES; j++) {
    let head = lines[lines_at + 4u * (first + j)];
    if (found == NO_PLACE && (head & 255u) == check) { found = first + j; }
    let total = seen_of(head);
    if (total < least) {
      least = total;
      emptiest = first + j;
    }
  }
  let line = select(found, emptiest, found == NO_PLACE);
  line_numbers[i] = line;
  let at = lines_at + 4u * line;
  if (found == NO_PLACE) {
    near_lines[i] = array<u32, 4>(check, 0u, 0u, 0u);
    store_run(line, 0u);
  } else {
    near_lines[i] = array<u32, 4>(lines[at], lines[at + 1u], lines[at + 2u], lines[at + 3u]);
  }
  bring_counters(i, found == NO_PLACE);
}

// Takes the line of context i back to where it belongs.
fn store_line(i: u32) {
  let at = lines_at + 4u * line_numbers[i];
  for (var j = 0u; j < 4u; j++) { lines[at + j] = near_lines[i][j]; }
  store_counters(i);
}

// The state of a node of the nibble, 1 ... 15.
fn state_of(i: u32, line_node: u32) -> u32 {
  return extractBits(near_lines[i][line_node / 4u], 8u * (line_node % 4u), 8u);
}

fn store_state(i: u32, line_node: u32, state: u32) {
  let word = line_node / 4u;
  near_lines[i][word] = insertBits(near_lines[i][word], state, 8u * (line_node % 4u), 8u);
}

// The four states of a nibble that is known learn it, and the line goes back.
fn rehearse_line(i: u32, nibble: u32) {
  for (var k = 0u; k < 4u; k++) {
    let node = (16u | nibble) >> (4u - k);
    let bit = (nibble >> (3u - k)) & 1u;
    store_state(i, node, table_byte(TABLE_NEXT, 2u * state_of(i, node) + bit));
  }
  store_line(i);
}

// The run of context i, whose line is that of the high half.
fn find_run(i: u32) {
  let line = line_numbers[i];
  let run = run_of(line);
  run_lines[i] = line;
  run_bytes[i] = select((run & 255u) | 256u, 0u, run == 0u);
  run_classes[i] = clamp(run >> 8u, 1u, RUN_CLASSES) - 1u;
}

// After the byte y.
fn follow_run(i: u32, y: u32) {
  let run = run_of(run_lines[i]);
  let goes_on = run != 0u && (run & 255u) == y;
  store_run(run_lines[i], select(256u | y, (min((run >> 8u) + 1u, RUN_COUNT_MAX) << 8u) | y, goes_on));
}

// After the byte y, the newest of the past. The place where this is to be noted is in new_place then.
fn follow_match(y: u32) {
  if (match_length > 0u && expected == y + 1u) {
    match_length = min(match_length + 1u, MATCH_LENGTH_LIMIT);
    match_at++;
  } else {
    match_length = 0u;
  }
  expected = 0u;
  new_place = NO_PLACE;
  if (time < MATCH_MIN) { return; }
  var hash = 0u;
  for (var o = 1u; o <= MATCH_MIN; o++) { hash = mix_into(hash, recent_byte(o)); }
  new_place = finish_hash(hash) >> (32u - PLACE_BITS);
  if (match_length == 0u) { begin_match(seen[seen_at + SEEN_PLACES + new_place]); }
  if (match_length > 0u) { expected = 1u + history_byte(match_at); }
}

fn begin_match(at: u32) {
  match_at = at;
  let room = min(at, VERIFY_MAX);
  while (match_length < room && history_byte(at - 1u - match_length) == recent_byte(match_length + 1u)) {
    match_length++;
  }
  if (match_length < MATCH_MIN) { match_length = 0u; }
}
