// probe_together: what eight_words gives to each invocation, for together.ts, which runs it both ways and compares.
//
//   out[i] = words at a place that eight neighbours have in common; no two of them, and no two places, are the same
//
// The words are made from their address, so nothing but the sharing is tried.

@group(0) @binding(0) var<storage, read_write> out: array<u32>;   // groups x LANES x 8

fn load_word(at: u32) -> u32 { return at * 2654435761u; }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  begin_eight(lane);
  let eight = group.x * (LANES / 8u) + lane / 8u;
  let words = eight_words(1u + 64u * eight, 1u, 4u, 3u);
  let to = (group.x * LANES + lane) * 8u;
  for (var i = 0u; i < 4u; i++) {
    out[to + i] = words.low[i];
    out[to + 4u + i] = words.high[i];
  }
}
