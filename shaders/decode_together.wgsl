// A coder group's streams by many invocations: each looks at some of a stream's ends, and the one that has the symbol
// says so; a barrier to a symbol. While streams of a batch are decoded, the frequencies of the next are on their way.
//
// Exact: ends rise, so one invocation at most has the first that is above the offset. All know the coder's numbers, and
// move them on alike.

const BATCH = 4u;              // streams whose frequencies are brought at a time
const EACH = 256u / LANES;     // ends of a stream that an invocation looks at
const NONE = 256u;

var<workgroup> near: array<u32, BATCH * 256u>;
// Of each stream of the batch: its symbol, where that begins and where it ends.
var<workgroup> found: array<u32, BATCH>;
var<workgroup> found_below: array<vec2<u32>, BATCH>;
var<workgroup> found_end: array<vec2<u32>, BATCH>;
// Frequencies on their way: word i of an invocation is the batch's word lane + i * LANES.
var<private> coming: array<u32, BATCH * EACH>;

fn ask_batch(from_stream: u32, end: u32, lane: u32) {
  let last = end * 256u - 1u;
  for (var i = 0u; i < BATCH * EACH; i++) { coming[i] = ends[min(from_stream * 256u + lane + i * LANES, last)]; }
}

fn keep_batch(lane: u32) {
  for (var i = 0u; i < BATCH * EACH; i++) { near[lane + i * LANES] = coming[i]; }
  for (var i = lane; i < BATCH; i += LANES) { found[i] = NONE; }
}

// The end of the symbol before, in units of the range; of the first, where all begin.
fn end_before(at: u32, symbol: u32, unit: u32) -> vec2<u32> {
  return select(vec2<u32>(), product(near[at + max(symbol, 1u) - 1u], unit), symbol > 0u);
}

// Whether this invocation has the symbol of the batch's i-th stream: then it says which, and where.
fn look_for_symbol(i: u32, lane: u32) {
  let unit = unit_of_range();
  let at = i * 256u;
  let first = lane * EACH;
  var below = end_before(at, first, unit);
  if (is_above(below, offset) || !is_above(product(near[at + first + EACH - 1u], unit), offset)) { return; }
  for (var symbol = first; symbol < first + EACH; symbol++) {
    let end = product(near[at + symbol], unit);
    if (is_above(end, offset)) {
      found[i] = symbol;
      found_below[i] = below;
      found_end[i] = end;
      return;
    }
    below = end;
  }
}

fn decode_streams(first: u32, end: u32, lives: u32, row: u32, lane: u32) {
  ask_batch(first, end, lane);
  for (var from_stream = first; from_stream < end; from_stream += BATCH) {
    workgroupBarrier();   // all are through with the batch before
    keep_batch(lane);
    workgroupBarrier();
    ask_batch(min(from_stream + BATCH, end - 1u), end, lane);
    for (var b = from_stream; b < min(from_stream + BATCH, end); b++) {
      let i = b - from_stream;
      let is_live = b < lives && failure == 0u;
      if (is_live) { look_for_symbol(i, lane); }
      workgroupBarrier();
      var symbol = 0u;
      if (is_live) { symbol = take_symbol(i); }
      put_symbol(b, end, symbol, row, lane);
    }
  }
}

fn take_symbol(i: u32) -> u32 {
  if (found[i] == NONE) {
    failure = VALUE_OUTSIDE_TABLE;
    return 0u;
  }
  narrow(found_below[i], found_end[i]);
  return select(0u, found[i], failure == 0u);
}
