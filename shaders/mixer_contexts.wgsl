// What a lane's last bytes are to its contexts: hashes, the lines and runs that these lead to, and the match.
// docs/MIXER.md, "Contexts", "Lines", "Runs", "The match".
//
//   line = the one of its bucket with the check, else the one that has seen least, emptied; a prior's tally may say
//   what it begins with (mixer_tallies.wgsl)
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
  bring_text();
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

// Brings the line of context i near. Half: 0, or the byte's high half + 1. A bucket is one piece of memory, and its
// runs are another: both are asked for at once.
fn find_line(i: u32, half: u32) {
  var hash = hashes[i];
  if (half != 0u) { hash = finish_hash(hash + half * HALF_STEP); }
  let check = max(1u, hash & 255u);
  let first = (i << line_bits) + ((hash >> 8u) & ((1u << line_bits) - BUCKET_LINES));
  let at = lines_at + 4u * first;
  var bucket = array<vec4<u32>, BUCKET_LINES>();
  for (var j = 0u; j < BUCKET_LINES; j++) {
    let word = at + 4u * j;
    bucket[j] = vec4<u32>(lines[word], lines[word + 1u], lines[word + 2u], lines[word + 3u]);
  }
  let runs = vec2<u32>(lines[runs_at + first / 2u], lines[runs_at + first / 2u + 1u]);
  var found = NO_PLACE;
  var line = vec4<u32>(check, 0u, 0u, 0u);
  var emptiest = 0u;
  var least = NO_PLACE;
  for (var j = 0u; j < BUCKET_LINES; j++) {
    let is_first = found == NO_PLACE && (bucket[j].x & 255u) == check;
    found = select(found, j, is_first);
    line = select(line, bucket[j], is_first);
    let total = seen_of(bucket[j].x);
    emptiest = select(emptiest, j, total < least);
    least = min(least, total);
  }
  let is_new = found == NO_PLACE;
  let place = select(found, emptiest, is_new);
  let word = select(runs.x, runs.y, place >= 2u);
  line_numbers[i] = first + place;
  line |= first_states(i, half, is_new);
  near_lines[i] = array<u32, 4>(line.x, line.y, line.z, line.w);
  if (is_new) { lines[runs_at + (first + place) / 2u] = insertBits(word, 0u, 16u * (place % 2u), 16u); }
  if (half == 0u) { find_run(i, select(extractBits(word, 16u * (place % 2u), 16u), 0u, is_new)); }
  bring_counters(i, is_new);
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

// The run of context i, that of the high half's line.
fn find_run(i: u32, run: u32) {
  run_lines[i] = line_numbers[i];
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

// How many of the four bytes before `at - back` are those before the newest `back`, the newest first.
fn agreeing(before: u32, words: vec2<u32>, back: u32) -> u32 {
  let shift = 8u * ((before - 1u) % 4u);
  // words.x holds the newest of them, byte (before - 1) % 4 of it; what lacks lies in words.y.
  let there = (words.x << (24u - shift)) | select(words.y >> (shift + 8u), 0u, shift == 24u);
  let here = recent_byte(back + 4u) | (recent_byte(back + 3u) << 8u) | (recent_byte(back + 2u) << 16u)
    | (recent_byte(back + 1u) << 24u);
  return countLeadingZeros(there ^ here) / 8u;
}

// How many bytes before `at` are the newest ones, up to VERIFY_MAX: sixteen at a time, whose words are asked for at
// once.
fn begin_match(at: u32) {
  match_at = at;
  let room = min(at, VERIFY_MAX);
  var known = 0u;
  while (known < room) {
    let newest = (at - known - 1u) / 4u;
    var words = array<u32, 5>();
    for (var n = 0u; n < 5u; n++) { words[n] = history[history_at + newest - min(n, newest)]; }
    var agreed = 0u;
    for (var n = 0u; n < 4u; n++) {
      if (agreed == 4u * n) { agreed += agreeing(at - known, vec2<u32>(words[n], words[n + 1u]), known + 4u * n); }
    }
    known += agreed;
    if (agreed < 16u) { break; }
  }
  match_length = min(known, room);
  if (match_length < MATCH_MIN) { match_length = 0u; }
}
