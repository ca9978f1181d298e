// embed_backward: scatters the gradients of the embedded bytes to the rows of the embedding.
//
//   gradient[byte of stream b that is position[t] steps back, d] += (d_input + d_local) / 2^3
//
// Sums of integers modulo 2^32 with atomics: any order gives the same bits.

@group(0) @binding(0) var<storage, read> bytes: array<u32>;                  // PAST_ROWS x ROW_WORDS, packed u8
@group(0) @binding(1) var<storage, read> control: array<i32>;                 // control numbers, see end_step
@group(0) @binding(2) var<storage, read> plan: array<i32>;                   // contexts, tables, positions
@group(0) @binding(3) var<storage, read> d_input: array<i32>;                // B x T x D, Q22, from the input's norm
@group(0) @binding(4) var<storage, read> d_local: array<i32>;                // B x T x D, Q22, from the local norm
@group(0) @binding(5) var<storage, read_write> gradient: array<atomic<i32>>; // dense gradients

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.STREAMS * HISTORY * EMBEDDING) { return; }
  let d = i % EMBEDDING;
  let t = (i / EMBEDDING) % HISTORY;
  let b = i / (EMBEDDING * HISTORY);
  let byte = byte_before(b, u32(control[AT_STEP]), u32(plan[PLAN_POSITIONS + t]));
  atomicAdd(&gradient[EMBEDDING_DENSE + byte * EMBEDDING + d], embedding_gradient(d_input[i], d_local[i]));
}
