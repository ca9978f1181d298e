// look_up: what followed the current contexts of each stream before, and which rows of the logit tables they have.
//
//   hash = finish(mix(words, last bytes, bytes at offsets))       slot = slots[c, hash >> (32 - SLOT_LOG2)]
//   found = slot if its check is the hash's and it is not empty, else 0
//   feature[bit] = ±15 (class of count + 1), plus where the remembered byte has the bit             Q7
//
// One invocation per (stream, context or table). Slots are only read here, so all streams see those before the step.
// The streams that want one slot are told apart here as well: the highest number stays in `owners`, a maximum of
// integers; `remember` takes it out.

@group(0) @binding(0) var<storage, read> bytes: array<u32>;                 // PAST_ROWS x ROW_WORDS, packed u8
@group(0) @binding(1) var<storage, read> plan: array<i32>;                  // contexts, tables, positions
@group(0) @binding(2) var<storage, read> control: array<i32>;                // control numbers, see end_step
@group(0) @binding(3) var<storage, read> words: array<u32>;                 // 2 x B: hashes of this and the last word
@group(0) @binding(4) var<storage, read> slots: array<u32>;                 // N x 2^SLOT_LOG2
@group(0) @binding(5) var<storage, read_write> owners: array<atomic<u32>>;  // N x OWNERS: stream + 1, or 0
@group(0) @binding(6) var<storage, read_write> lookups: array<u32>;         // see recall.wgsl
@group(0) @binding(7) var<storage, read_write> features: array<u32>;        // B x N x 2 words, packed int8, Q7

const ENTRIES = CONTEXTS + LOGIT_TABLES;

// The hash of the plan's record at `at`: contextHash of src/contract/contexts.ts.
fn hash_of(at: u32, b: u32, step: u32) -> u32 {
  var hash = 0u;
  if (plan[at + PLAN_WORDS] >= 1) { hash = mix_into(hash, words[b]); }
  if (plan[at + PLAN_WORDS] >= 2) { hash = mix_into(hash, words[model.STREAMS + b]); }
  let order = u32(plan[at + PLAN_ORDER]);
  for (var offset = 1u; offset <= order; offset++) { hash = mix_into(hash, byte_before(b, step, offset)); }
  let offsets = u32(plan[at + PLAN_OFFSET_COUNT]);
  for (var i = 0u; i < offsets; i++) {
    hash = mix_into(hash, byte_before(b, step, u32(plan[at + PLAN_OFFSETS + i])));
  }
  return finish_hash(hash);
}

fn feature_word(bits: u32, size: i32) -> u32 {
  let is_set = ((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) == vec4<u32>(1u);
  return pack4xI8(select(vec4<i32>(-size), vec4<i32>(size), is_set));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.STREAMS * ENTRIES) { return; }
  let b = i / ENTRIES;
  let c = i % ENTRIES;
  let step = u32(control[AT_STEP]);
  let at = c * PLAN_RECORD;
  let hash = hash_of(at, b, step);
  if (c >= CONTEXTS) {
    var row = hash >> (32u - model.TABLE_LOG2);
    // A context of one byte: the last one, or the one at its offset.
    let offset = u32(plan[at + PLAN_ORDER] + plan[at + PLAN_OFFSETS]);
    if (plan[at + PLAN_DIRECT] == 1) { row = byte_before(b, step, offset); }
    lookups[lookup_rows() + b * LOGIT_TABLES + c - CONTEXTS] = row;
    return;
  }
  let word = slots[(c << model.SLOT_LOG2) + slot_of(hash)];
  let found = select(0u, word, (word & 255u) == check_of(hash) && count_of(word) > 0u);
  let place = b * CONTEXTS + c;
  lookups[place] = found;
  lookups[lookup_hashes() + place] = hash;
  atomicMax(&owners[owner_of(c, hash)], b + 1u);
  let size = select(0, i32(FEATURE_UNIT * (count_class(count_of(found)) + 1u)), found != 0u);
  features[2u * place] = feature_word(first_byte(found), size);
  features[2u * place + 1u] = feature_word(first_byte(found) >> 4u, size);
}
