// norm_backward: through scale and shift, then through LayerNorm itself.
//
//   d_normalised = d * scale
//   out = deviation * (d_normalised - mean(d_normalised) - normalised * mean(d_normalised * normalised))      Q22
//   d_scale += mean over rows of d * normalised      d_shift += mean over rows of d
//
// LANES invocations to a row, as in norm. Every term is rounded before it is added, so no sum depends on order.

@group(0) @binding(0) var<storage, read> d: array<i32>;                      // ROWS x WIDTH, Q22
@group(0) @binding(1) var<storage, read> normalised: array<i32>;             // ROWS x WIDTH, Q11
@group(0) @binding(2) var<storage, read> deviations: array<vec2<i32>>;       // ROWS: mantissa, shift
@group(0) @binding(3) var<storage, read> master: array<i32>;                 // Q24
@group(0) @binding(4) var<storage, read_write> gradient: array<atomic<i32>>; // dense gradients
@group(0) @binding(5) var<storage, read_write> out: array<i32>;              // ROWS x WIDTH, Q22

const GROUP_ROWS = 64u / LANES;
const PER_LANE = WIDTH / LANES;

// Sums of each row, as in norm: zero at the start.
var<workgroup> means: array<atomic<i32>, GROUP_ROWS>;
var<workgroup> slopes: array<atomic<i32>, GROUP_ROWS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let column = lane % LANES;
  let mine = lane / LANES;
  let row = flat_group(group, groups) * GROUP_ROWS + mine;
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
      let column_at = column + i * LANES;
      atomicAdd(&gradient[SCALE_DENSE + column_at], mul_round(d[at], normalised[at], ACTIVATION_BITS + ROWS_LOG2));
      atomicAdd(&gradient[SHIFT_DENSE + column_at], round_shift_any(d[at], i32(ROWS_LOG2)));
    }
  }
  atomicAdd(&means[mine], sums.x);
  atomicAdd(&slopes[mine], sums.y);
  workgroupBarrier();
  let mean = atomicLoad(&means[mine]);
  let slope = atomicLoad(&slopes[mine]);
  let deviation = deviations[min(row, ROWS - 1u)];
  for (var i = 0u; i < PER_LANE && live; i++) {
    let at = first + i * LANES;
    let inner = d_normalised[i] - mean - mul_round(slope, normalised[at], ACTIVATION_BITS);
    out[at] = clamp_gradient(mul_round(inner, deviation.x, u32(deviation.y)));
  }
}
