// norm_backward: through scale and shift, then through LayerNorm itself.
//
//   d_normalised = d * scale
//   out = deviation * (d_normalised - mean(d_normalised) - normalised * mean(d_normalised * normalised))      Q22
//   d_scale += mean over rows of d * normalised      d_shift += mean over rows of d
//
// LANES invocations to a row, as in norm; a group walks REPEAT sets of rows, so that a lane adds the gradients of its
// columns in registers and needs two atomic additions per column at the end. Every term is rounded before it is added:
// the sum does not depend on order.

@group(0) @binding(0) var<storage, read> d: array<i32>;                      // ROWS x WIDTH, Q22
@group(0) @binding(1) var<storage, read> normalised: array<i32>;             // ROWS x WIDTH, Q11
@group(0) @binding(2) var<storage, read> deviations: array<vec2<i32>>;       // ROWS: mantissa, shift
@group(0) @binding(3) var<storage, read> master: array<i32>;                 // Q24
@group(0) @binding(4) var<storage, read_write> gradient: array<atomic<i32>>; // dense gradients
@group(0) @binding(5) var<storage, read_write> out: array<i32>;              // ROWS x WIDTH, Q22

const LANES = min(WIDTH, 64u);
const GROUP_ROWS = 64u / LANES;
const PER_LANE = WIDTH / LANES;

var<workgroup> partial: array<vec2<i32>, 64>;

fn row_sum(lane: u32, mine: vec2<i32>) -> vec2<i32> {
  workgroupBarrier();
  partial[lane] = mine;
  workgroupBarrier();
  for (var reach = LANES / 2u; reach > 0u; reach = reach / 2u) {
    if (lane % LANES < reach) { partial[lane] = partial[lane] + partial[lane + reach]; }
    workgroupBarrier();
  }
  return partial[lane - lane % LANES];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let column = lane % LANES;
  var scale_sums = array<i32, PER_LANE>();
  var shift_sums = array<i32, PER_LANE>();
  for (var round = 0u; round < REPEAT; round++) {
    let row = (flat_group(group, groups) * REPEAT + round) * GROUP_ROWS + lane / LANES;
    let live = row < ROWS;
    let first = min(row, ROWS - 1u) * WIDTH + column;
    var d_normalised = array<i32, PER_LANE>();
    var sums = vec2<i32>();
    for (var i = 0u; i < PER_LANE; i++) {
      let at = first + i * LANES;
      let value = clamp_gradient(mul_round(d[at], as_scale(master[SCALE_AT + column + i * LANES]), SCALE_BITS));
      d_normalised[i] = value;
      sums += vec2<i32>(round_shift(value, WIDTH_LOG2), mul_round(value, normalised[at], ACTIVATION_BITS + WIDTH_LOG2));
      if (live) {
        scale_sums[i] += mul_round(d[at], normalised[at], ACTIVATION_BITS + ROWS_LOG2);
        shift_sums[i] += round_shift_any(d[at], i32(ROWS_LOG2));
      }
    }
    let means = row_sum(lane, sums);
    let deviation = deviations[min(row, ROWS - 1u)];
    for (var i = 0u; i < PER_LANE && live; i++) {
      let at = first + i * LANES;
      let inner = d_normalised[i] - means.x - mul_round(means.y, normalised[at], ACTIVATION_BITS);
      out[at] = clamp_gradient(mul_round(inner, deviation.x, u32(deviation.y)));
    }
  }
  for (var i = 0u; i < PER_LANE; i++) {
    atomicAdd(&gradient[SCALE_DENSE + column + i * LANES], scale_sums[i]);
    atomicAdd(&gradient[SHIFT_DENSE + column + i * LANES], shift_sums[i]);
  }
}
