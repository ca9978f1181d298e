// norm_backward: through scale and shift, then through LayerNorm itself.
//
//   d_normalised = d * scale
//   out = deviation * (d_normalised - mean(d_normalised) - normalised * mean(d_normalised * normalised))      Q22
//   d_scale += mean over rows of d * normalised      d_shift += mean over rows of d
//
// LANES invocations to a row, as in norm. Every term is rounded before it is added, so no sum depends on order.

@group(0) @binding(0) var<storage, read> d: array<i32>;                      // ROWS x WIDTH, Q22
@group(0) @binding(1) var<storage, read> normalised: array<i32>;             // ROWS x WIDTH, Q10
@group(0) @binding(2) var<storage, read> deviations: array<vec2<i32>>;       // ROWS: mantissa, shift
@group(0) @binding(3) var<storage, read> master: array<i32>;                 // Q24
@group(0) @binding(4) var<storage, read_write> gradient: array<atomic<i32>>; // dense gradients
@group(0) @binding(5) var<storage, read_write> out: array<i32>;              // ROWS x WIDTH, Q22

const GROUP_ROWS = 64u / LANES;

// Sums of each row, as in norm: zero at the start.
var<workgroup> means: array<atomic<i32>, GROUP_ROWS>;
var<workgroup> slopes: array<atomic<i32>, GROUP_ROWS>;

fn d_normalised(at: u32, column: u32) -> i32 {
  return through_scale(d[at], master[model.SCALE_AT + column]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let mine = lane / LANES;
  let row = flat_group(group, groups) * GROUP_ROWS + mine;
  let live = row < model.ROWS;
  let start = min(row, model.ROWS - 1u) * WIDTH;
  let first = start + lane % LANES;
  var sums = vec2<i32>();
  // Loops run from a place that is not constant, and nothing is kept between them: unrolled, they take a software
  // adapter's compiler ten seconds.
  for (var at = first; at < start + WIDTH; at += LANES) {
    let value = d_normalised(at, at - start);
    sums += vec2<i32>(round_shift(value, WIDTH_LOG2), mul_round(value, normalised[at], ACTIVATION_BITS + WIDTH_LOG2));
    if (live) {
      let to_scale = mul_round(d[at], normalised[at], ACTIVATION_BITS + model.ROWS_LOG2);
      atomicAdd(&gradient[SCALE_DENSE + at - start], to_scale);
      atomicAdd(&gradient[SHIFT_DENSE + at - start], round_shift_any(d[at], i32(model.ROWS_LOG2)));
    }
  }
  atomicAdd(&means[mine], sums.x);
  atomicAdd(&slopes[mine], sums.y);
  workgroupBarrier();
  if (!live) { return; }
  let mean = atomicLoad(&means[mine]);
  let slope = atomicLoad(&slopes[mine]);
  let deviation = deviations[row];
  for (var at = first; at < start + WIDTH; at += LANES) {
    out[at] = through_norm(d_normalised(at, at - start), mean, slope, normalised[at], deviation, MORE_SHIFT);
  }
}
