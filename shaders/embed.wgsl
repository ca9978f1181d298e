// embed: the raw int16 embedding of the T bytes of each stream that the plan looks at.
//
//   embedded[b, t, d] = embedding[byte of stream b that is position[t] steps back, d]
//
// A copy, hence exact.

@group(0) @binding(0) var<storage, read> bytes: array<u32>;              // PAST_ROWS x ROW_WORDS, packed u8
@group(0) @binding(1) var<storage, read> embedding: array<i32>;          // 256 x D, int16 values
@group(0) @binding(2) var<storage, read> control: array<i32>;             // control numbers, see end_step
@group(0) @binding(3) var<storage, read> plan: array<i32>;               // contexts, tables, positions
@group(0) @binding(4) var<storage, read_write> embedded: array<i32>;     // B x T x D

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.STREAMS * HISTORY * EMBEDDING) { return; }
  let d = i % EMBEDDING;
  let t = (i / EMBEDDING) % HISTORY;
  let b = i / (EMBEDDING * HISTORY);
  let byte = byte_before(b, u32(control[AT_STEP]), u32(plan[PLAN_POSITIONS + t]));
  embedded[i] = embedding[byte * EMBEDDING + d];
}
