// How fused kernels cut a product where its tasks are fewer than invocations: the inner dimension into slices, whose
// sums meet in workgroup memory. A task is four rows by a vector of four; slice s of task t is of invocation
// s * tasks + t. How many there are depends on the product and on a whole tile only: all invocations come to the same
// barriers. The loop over tasks stands in both files that use this, because WGSL has no functions as values, and texts
// are put together by names: two files cannot each have a function of the same name for this one to call.
//
// Exact: sums of integers modulo 2^32, in any order.

const ROWS_EACH = 4u;

var<workgroup> slice_sums: array<vec4<i32>, ROWS_EACH * LANES>;

// Tasks of so many columns and the rows of a whole tile.
fn tasks_across(columns: u32, rows_per_stream: u32) -> u32 {
  return columns * ((TILE * rows_per_stream + ROWS_EACH - 1u) / ROWS_EACH);
}

fn slices_of(tasks: u32, steps: u32) -> u32 { return clamp(LANES / tasks, 1u, steps); }

// The steps of this invocation, from the first to before the second: none beyond the last slice.
fn own_slice(tasks: u32, slices: u32, steps: u32) -> vec2<u32> {
  let length = (steps + slices - 1u) / slices;
  let begin = min(lane / tasks * length, steps);
  return vec2<u32>(begin, min(begin + length, steps));
}

fn share_sums(sums: array<vec4<i32>, ROWS_EACH>) {
  var own = sums;
  for (var i = 0u; i < ROWS_EACH; i++) { slice_sums[i * LANES + lane] = own[i]; }
  workgroupBarrier();
}

// Row j / tasks of task j % tasks, from all slices.
fn whole_sum(j: u32, tasks: u32, slices: u32) -> vec4<i32> {
  var sum = vec4<i32>();
  for (var s = 0u; s < slices; s++) { sum += slice_sums[j / tasks * LANES + s * tasks + j % tasks]; }
  return sum;
}

// Rows of the tile that a task has, four addresses: those beyond the last are the last.
fn row_places(at: u32, task: u32, columns: u32, rows: u32, pitch: u32) -> vec4<u32> {
  let row = task / columns * ROWS_EACH;
  return vec4<u32>(at) + min(vec4<u32>(row) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(rows - 1u)) * pitch;
}
