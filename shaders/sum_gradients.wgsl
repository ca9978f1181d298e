// sum_gradients: out = clamp(a + b + c), where c covers only the last C_WIDTH columns of each row (0: no c).
//
// Gathers what reaches one tensor on several ways. |a|, |c| <= 2^26 and |b| <= 2^29, so the sum stays in 32 bits.

@group(0) @binding(0) var<storage, read> a: array<i32>;               // ROWS x WIDTH, Q22
@group(0) @binding(1) var<storage, read> b: array<i32>;               // ROWS x WIDTH, Q22
@group(0) @binding(2) var<storage, read> c: array<i32>;               // ROWS x C_WIDTH, Q22
@group(0) @binding(3) var<storage, read_write> out: array<i32>;       // ROWS x WIDTH, Q22

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.ROWS * WIDTH) { return; }
  var sum = a[i] + b[i];
  let column = i % WIDTH;
  if (column >= WIDTH - C_WIDTH) { sum += c[i / WIDTH * C_WIDTH + column - (WIDTH - C_WIDTH)]; }
  out[i] = clamp_gradient(sum);
}
