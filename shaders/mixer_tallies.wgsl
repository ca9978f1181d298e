// What lines begin with behind a prior that has tallies: docs/MIXER.md, "Priors". mixer_no_tallies.wgsl is for lanes
// that begin behind none.
//
// Exact: words are copied; src/engine/gpu/mixer-tallies.ts has made states of counts. A context's tally is looked for
// once in a byte, and only when a line is begun: by the invocation that the context belongs to, so all contexts' are
// looked for side by side.

const NO_TALLY = 0u;
const NOT_ASKED = 0xffffffffu;
// Of the byte's contexts: where their tallies' records lie.
var<workgroup> tally_records: array<u32, CONTEXT_ROOM>;

// The first tally of context i's bucket with the mark.
fn find_tally(i: u32) -> u32 {
  let head = TALLY_HEADS + 2u * i;
  let digits = tables[head];
  if (digits == 0u) { return NO_TALLY; }
  let bits = digits - 1u;
  let bucket = tables[head + 1u] + extractBits(hashes[i], 32u - bits, bits);
  let mark = (hashes[i] << bits) >> 16u;
  let end = tables[bucket + 1u];
  for (var record = tables[bucket]; record < end; record += TALLY_RECORD_WORDS) {
    if ((tables[record] & 0xffffu) == mark) { return record; }
  }
  return NO_TALLY;
}

// The states of context i's line, which nothing has been seen of if it is new. Half: 0, or the byte's high half + 1.
fn first_states(i: u32, half: u32, is_new: bool) -> vec4<u32> {
  if (half == 0u) { tally_records[i] = NOT_ASKED; }
  if (!is_new) { return vec4<u32>(); }
  var record = tally_records[i];
  if (record == NOT_ASKED) {
    record = find_tally(i);
    tally_records[i] = record;
  }
  if (record == NO_TALLY) { return vec4<u32>(); }
  let halves = tables[record] >> 16u;
  var at = tables[record + 1u];
  if (half != 0u) {
    if (extractBits(halves, half - 1u, 1u) == 0u) { return vec4<u32>(); }
    at += 4u * (1u + countOneBits(extractBits(halves, 0u, half - 1u)));
  }
  return vec4<u32>(tables[at], tables[at + 1u], tables[at + 2u], tables[at + 3u]);
}
