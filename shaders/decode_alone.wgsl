// A coder group's streams by one invocation, which looks for a symbol in eight steps and reads frequencies where they
// are; decode_together.wgsl is the other way.
//
// Exact: the first end above the offset is found, as there.

fn decode_streams(first: u32, end: u32, lives: u32, row: u32, lane: u32) {
  for (var b = first; b < end; b++) {
    var symbol = 0u;
    if (b < lives && failure == 0u) { symbol = next_symbol(b); }
    put_symbol(b, end, symbol, row, lane);
  }
}

fn next_symbol(b: u32) -> u32 {
  let unit = unit_of_range();
  var symbol = 0u;
  var below = vec2<u32>();
  for (var half = 128u; half > 0u; half >>= 1u) {
    let end = product(ends[b * 256u + symbol + half - 1u], unit);
    if (is_above(end, offset)) { continue; }
    symbol += half;
    below = end;
  }
  let end = product(ends[b * 256u + symbol], unit);
  if (!is_above(end, offset)) {
    failure = VALUE_OUTSIDE_TABLE;
    return 0u;
  }
  narrow(below, end);
  return select(0u, symbol, failure == 0u);
}
