// frequencies: from 256 logits, with what the recall stream adds, to the cumulative frequencies of the range coder.
//
//   logit[v] += sum over tables of entry[v] * gate * 2 + sum over contexts that found v of boost * gate * 2       Q10
//   e[v] = 2^(-(top - logit[v]) * log2(e))            Q16, a table of 256 fractions and a shift
//   frequency[v] = 1 + (e[v] * inverse >> right)      ends[v] = running sum
//
// One workgroup per stream, four bytes to a lane; one context to a lane, whose boosts meet in workgroup memory: sums of
// integers, each term rounded on its own. The tables' products are summed, below 2^31, and rounded once. The inverse of
// the frequencies' sum is one division of integers; its rounding keeps the total at or below 2^22: docs/NUMERICS.md
// section 8.

@group(0) @binding(0) var<storage, read> logits: array<i32>;          // B x 256, Q10
@group(0) @binding(1) var<storage, read> constants: array<i32>;          // LUTs, see luts.wgsl
@group(0) @binding(2) var<storage, read> lookups: array<u32>;         // see recall.wgsl
@group(0) @binding(3) var<storage, read> gates: array<i32>;           // B x GATES, Q10, before the sigmoid
@group(0) @binding(4) var<storage, read> boosts: array<i32>;          // N x BUCKETS x 2, Q20
@group(0) @binding(5) var<storage, read> entries: array<vec4<i32>>;   // M x 2^TABLE_LOG2 x 64 fours, Q20
@group(0) @binding(6) var<storage, read_write> ends: array<u32>;      // B x 256

var<workgroup> tops: array<i32, 64>;
var<workgroup> sums: array<u32, 64>;
var<workgroup> boosted: array<atomic<i32>, 256>;   // zero at the start

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

fn add_boost(b: u32, c: u32) {
  let found = lookups[b * CONTEXTS + c];
  if (found == 0u) { return; }
  let gate = sigmoid(gates[gate_of_context(b, c)]);
  let place = boost_place(c, found);
  atomicAdd(&boosted[first_byte(found)], boost_term(boosts[place], gate));
  if (other_of(found) == 0u) { return; }
  atomicAdd(&boosted[second_byte(found)], boost_term(boosts[place + 1u], gate));
}

// What the recall stream adds to the four logits of a lane.
fn recalled(b: u32, lane: u32) -> vec4<i32> {
  if (lane < CONTEXTS) { add_boost(b, lane); }
  var sum = vec4<i32>(1 << (SLOPE_BITS - 2u));
  for (var table = 0u; table < LOGIT_TABLES; table++) {
    let gate = sigmoid(gates[gate_of_table(b, table)]);
    let four = entries[row_place(table, lookups[lookup_rows() + b * LOGIT_TABLES + table]) * 64u + lane];
    sum += vec4<i32>(table_logit(four.x), table_logit(four.y), table_logit(four.z), table_logit(four.w)) * gate;
  }
  sum = sum >> vec4<u32>(SLOPE_BITS - 1u);
  workgroupBarrier();
  return sum + vec4<i32>(atomicLoad(&boosted[4u * lane]), atomicLoad(&boosted[4u * lane + 1u]),
                         atomicLoad(&boosted[4u * lane + 2u]), atomicLoad(&boosted[4u * lane + 3u]));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let b = min(flat_group(group, groups), model.STREAMS - 1u);   // groups beyond the last repeat it
  let first = b * 256u + 4u * lane;
  var mine = vec4<i32>(logits[first], logits[first + 1u], logits[first + 2u], logits[first + 3u]);
  if (CONTEXTS + LOGIT_TABLES > 0u) {
    mine = clamp(mine + recalled(b, lane), vec4<i32>(-ACTIVATION_LIMIT), vec4<i32>(ACTIVATION_LIMIT));
  }
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
  let inverse = inverse_of(sums[63]);
  let frequency = vec4<u32>(frequency_of(e.x, inverse), frequency_of(e.y, inverse),
                            frequency_of(e.z, inverse), frequency_of(e.w, inverse));
  let end = running_sum(lane, frequency.x + frequency.y + frequency.z + frequency.w);
  ends[first] = end - frequency.w - frequency.z - frequency.y;
  ends[first + 1u] = end - frequency.w - frequency.z;
  ends[first + 2u] = end - frequency.w;
  ends[first + 3u] = end;
}
