// remember: slots take in the byte that came, and so do the hashes of each stream's current and last word.
//
//   slots[c, place] = updated(found, byte)      by the highest-numbered stream of those whose places agree in 16 bits
//   word = mix(word, byte) if the byte belongs to a word, else 0 and the word becomes the last one
//
// One invocation per (stream, context or the word). Updates start from what look_up found, never from the slots, and
// one stream writes each, so no order matters: look_up left the highest stream + 1 in `owners`. Only that stream finds
// its own number there, and it puts 0 back for the next step; the others find its number or the 0, both not theirs.

@group(0) @binding(0) var<storage, read> bytes: array<u32>;                 // PAST_ROWS x ROW_WORDS, packed u8
@group(0) @binding(1) var<storage, read> control: array<i32>;                // control numbers, see end_step
@group(0) @binding(2) var<storage, read> lookups: array<u32>;               // see recall.wgsl
@group(0) @binding(3) var<storage, read_write> owners: array<atomic<u32>>;  // N x OWNERS: stream + 1, or 0
@group(0) @binding(4) var<storage, read_write> slots: array<u32>;           // N x 2^SLOT_LOG2
@group(0) @binding(5) var<storage, read_write> words: array<u32>;           // 2 x B: hashes of this and the last word

fn pack_slot(check: u32, a: u32, b: u32, count: u32, other: u32) -> u32 {
  return check | (a << 8u) | (b << 16u) | (count << 24u) | (other << 29u);
}

fn updated_slot(found: u32, check: u32, y: u32) -> u32 {
  if (found == 0u) { return pack_slot(check, y, 0u, 1u, 0u); }
  let a = first_byte(found);
  let b = second_byte(found);
  let count = count_of(found);
  let other = other_of(found);
  if (y == a) { return pack_slot(check, a, b, max(count, min(count + 1u, RUN_MAX)), other); }
  if (other > 0u && y == b) {
    let more = other + 1u;
    let less = select(count, count - (count >> 2u), count > 2u);
    if (more >= less) { return pack_slot(check, b, a, more, min(less, OTHER_MAX)); }
    return pack_slot(check, a, b, less, min(more, OTHER_MAX));
  }
  var less = (count >> 1u) + 1u;
  if (count < 2u) { less = count; } else if (count < 4u) { less = count - 1u; }
  if (less <= 1u && other <= 1u) { return pack_slot(check, y, a, 1u, less); }
  return pack_slot(check, a, y, less, 1u);
}

// Letters and all bytes from 128 on make words; capitals count as small letters.
fn word_after(word: u32, y: u32) -> u32 {
  let is_capital = y >= 65u && y <= 90u;
  if (!is_capital && !(y >= 97u && y <= 122u) && y < 128u) { return 0u; }
  return mix_into(word, select(y, y + 32u, is_capital));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = flat_group(group, groups) * 64u + lane;
  if (i >= model.STREAMS * (CONTEXTS + 1u)) { return; }
  let b = i / (CONTEXTS + 1u);
  let c = i % (CONTEXTS + 1u);
  let y = byte_before(b, u32(control[AT_STEP]), 0u);
  if (c == CONTEXTS) {
    let before = words[b];
    let after = word_after(before, y);
    if (after == 0u && before != 0u) { words[model.STREAMS + b] = before; }
    words[b] = after;
    return;
  }
  let place = b * CONTEXTS + c;
  let hash = lookups[lookup_hashes() + place];
  let owner = owner_of(c, hash);
  if (atomicLoad(&owners[owner]) != b + 1u) { return; }
  atomicStore(&owners[owner], 0u);
  slots[(c << model.SLOT_LOG2) + slot_of(hash)] = updated_slot(lookups[place], check_of(hash), y);
}
