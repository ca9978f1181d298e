// Eight words as in `eight_apart`, the same bits: each of eight neighbouring invocations loads one, and the subgroup
// shares them. For adapters whose subgroups are eight invocations, which are software adapters: there a load costs
// as much as eight multiplications, because each invocation's address is looked at apart, even if all are the same.
//
// All eight must be there, with the same arguments: kernels call this only where the eight are as one.

struct Eight {
  low: vec4<u32>,
  high: vec4<u32>,
}

var<private> member: u32;   // number of the invocation among the eight

fn begin_eight(lane: u32) { member = lane % 8u; }

fn eight_words(at: u32, near: u32, far: u32, last: u32) -> Eight {
  let mine = load_word(at + member / 4u * far + min(member % 4u, last) * near);
  return Eight(vec4<u32>(subgroupBroadcast(mine, 0u), subgroupBroadcast(mine, 1u), subgroupBroadcast(mine, 2u),
                         subgroupBroadcast(mine, 3u)),
               vec4<u32>(subgroupBroadcast(mine, 4u), subgroupBroadcast(mine, 5u), subgroupBroadcast(mine, 6u),
                         subgroupBroadcast(mine, 7u)));
}
