// What mixer_tallies.wgsl has, for lanes behind no tallies: their lines begin with nothing. A text of its own, so that
// these lanes pay nothing for it.

fn first_states(i: u32, half: u32, is_new: bool) -> vec4<u32> { return vec4<u32>(); }
