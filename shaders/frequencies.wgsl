// frequencies: from 256 logits to the cumulative frequencies that the range coder uses.
//
//   e[v] = 2^(-(top - logit[v]) * log2(e))            Q16, a table of 256 fractions and a shift
//   frequency[v] = 1 + (e[v] * inverse >> right)      ends[v] = running sum
//
// One workgroup per stream, four bytes to a lane. The inverse of the sum is one division of integers; its rounding
// keeps the total at or below 2^22: docs/NUMERICS.md section 8.

@group(0) @binding(0) var<storage, read> logits: array<i32>;          // B x 256, Q10
@group(0) @binding(1) var<storage, read> tables: array<i32>;          // look-ups, see tables.wgsl
@group(0) @binding(2) var<storage, read_write> ends: array<u32>;      // B x 256

const LOG2_E = 5909;   // log2(e) in Q12

var<workgroup> tops: array<i32, 64>;
var<workgroup> sums: array<u32, 64>;

fn exp_negative(difference: i32) -> u32 {
  let power = difference * LOG2_E;
  let whole = u32(power >> 22u);
  if (whole > 16u) { return 0u; }
  return (u32(tables[EXP2_TABLE + ((power >> 14u) & 255)]) + ((1u << whole) >> 1u)) >> whole;
}

// Inclusive running sum over the lanes.
fn running_sum(lane: u32, mine: u32) -> u32 {
  workgroupBarrier();
  sums[lane] = mine;
  workgroupBarrier();
  for (var reach = 1u; reach < 64u; reach = reach * 2u) {
    let before = select(0u, sums[max(lane, reach) - reach], lane >= reach);
    workgroupBarrier();
    sums[lane] += before;
    workgroupBarrier();
  }
  return sums[lane];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let b = min(flat_group(group, groups), STREAMS - 1u);   // groups beyond the last repeat it
  let first = b * 256u + 4u * lane;
  let mine = vec4<i32>(logits[first], logits[first + 1u], logits[first + 2u], logits[first + 3u]);
  tops[lane] = max(max(mine.x, mine.y), max(mine.z, mine.w));
  workgroupBarrier();
  for (var reach = 32u; reach > 0u; reach = reach / 2u) {
    if (lane < reach) { tops[lane] = max(tops[lane], tops[lane + reach]); }
    workgroupBarrier();
  }
  let top = tops[0];
  let e = vec4<u32>(exp_negative(top - mine.x), exp_negative(top - mine.y),
                    exp_negative(top - mine.z), exp_negative(top - mine.w));
  _ = running_sum(lane, e.x + e.y + e.z + e.w);
  let sum = sums[63];
  let k = u32(bit_length(sum) - 16);
  let inverse = ((1u << 31u) - (1u << 17u)) / ((sum >> k) + 1u);
  let frequency = vec4<u32>(1u) + ((e * inverse) >> vec4<u32>(9u + k));
  let end = running_sum(lane, frequency.x + frequency.y + frequency.z + frequency.w);
  ends[first] = end - frequency.w - frequency.z - frequency.y;
  ends[first + 1u] = end - frequency.w - frequency.z;
  ends[first + 2u] = end - frequency.w;
  ends[first + 3u] = end;
}
