// Eight words that neighbouring invocations all need, such as weights that they multiply different streams by. The
// kernel says by `load_word` what lies at an address. Here each invocation loads all of them for itself, which a GPU's
// caches make cheap; `eight_together` is the other way.

struct Eight {
  low: vec4<u32>,
  high: vec4<u32>,
}

fn begin_eight(lane: u32) {}

// Words at + i * near, then at + far + i * near, for i = 0 .. 3; those beyond `last` repeat it.
fn eight_words(at: u32, near: u32, far: u32, last: u32) -> Eight {
  let steps = min(vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(last)) * near;
  return Eight(vec4<u32>(load_word(at), load_word(at + steps.y), load_word(at + steps.z), load_word(at + steps.w)),
               vec4<u32>(load_word(at + far), load_word(at + far + steps.y), load_word(at + far + steps.z),
                         load_word(at + far + steps.w)));
}
