// norm: LayerNorm of rows of WIDTH values, then scale and shift.
//
//   normalised = (x - mean) / deviation            Q10, ±32
//   out        = normalised * scale + shift        Q10
//
// A row is reduced by LANES invocations, GROUP_ROWS rows to a workgroup. Sums of integers do not depend on order; the
// sum of squares is kept as two 32-bit halves (sum of d^2 >> 16 and of d^2 & 0xffff), which lose nothing. The inverse
// deviation is a 15-bit mantissa and a shift: docs/NUMERICS.md section 5.

@group(0) @binding(0) var<storage, read> x: array<i32>;                     // ROWS x WIDTH
@group(0) @binding(1) var<storage, read> master: array<i32>;                // all master weights, Q24
@group(0) @binding(2) var<storage, read_write> normalised: array<i32>;      // ROWS x WIDTH, Q10
@group(0) @binding(3) var<storage, read_write> deviations: array<vec2<i32>>; // ROWS: mantissa, shift
@group(0) @binding(4) var<storage, read_write> out: array<i32>;             // ROWS x WIDTH, Q10

const GROUP_ROWS = 64u / LANES;

// Sums of each row of the group. The values are zero at the start; an atomic sum needs one barrier, a tree six, and
// on software adapters a barrier costs more than the work between two of them.
var<workgroup> sums: array<atomic<u32>, GROUP_ROWS>;
var<workgroup> squares_high: array<atomic<u32>, GROUP_ROWS>;
var<workgroup> squares_low: array<atomic<u32>, GROUP_ROWS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let mine = lane / LANES;
  let row = flat_group(group, groups) * GROUP_ROWS + mine;
  let start = min(row, model.ROWS - 1u) * WIDTH;
  let first = start + lane % LANES;

  // Loops run from a place that is not constant, so that no compiler unrolls them: see norm_backward.
  var sum = 0;
  for (var at = first; at < start + WIDTH; at += LANES) { sum += x[at]; }
  atomicAdd(&sums[mine], bitcast<u32>(sum));
  workgroupBarrier();
  let mean = round_shift(bitcast<i32>(atomicLoad(&sums[mine])), WIDTH_LOG2);

  var squares = vec2<u32>(0u, 0u);
  for (var at = first; at < start + WIDTH; at += LANES) {
    squares += square_halves(x[at], mean);
  }
  atomicAdd(&squares_high[mine], squares.x);
  atomicAdd(&squares_low[mine], squares.y);
  workgroupBarrier();
  let deviation = inverse_deviation(atomicLoad(&squares_high[mine]), atomicLoad(&squares_low[mine]), WIDTH_LOG2);
  if (row >= model.ROWS) { return; }
  if (lane % LANES == 0u) { deviations[row] = deviation; }

  for (var at = first; at < start + WIDTH; at += LANES) {
    let value = normal_value(x[at], mean, deviation);
    normalised[at] = value;
    out[at] = scaled_value(value, master[model.SCALE_AT + at - start], master[model.SHIFT_AT + at - start]);
  }
}
