// What mixer_counters.wgsl has, for lanes without counters: six weight sets and two choices of the second layer. Texts
// of their own, so that these lanes pay nothing for the others.

fn bring_counters(i: u32, is_new: bool) {}
fn store_counters(i: u32) {}
fn counters_input(p: u32) -> u32 { return 0u; }
fn learn_counters(bit: u32, lane: u32) {}
fn choose_more(k: u32) {}

// Where weight i of the second layer lies, of both choices; and the probability that its choice has made.
fn final_word(i: u32) -> u32 { return select(final_words[1] - SET_COUNT, final_words[0], i < SET_COUNT) + i; }
fn final_probability(i: u32) -> i32 { return select(final_p[1], final_p[0], i < SET_COUNT); }

// The mean of both choices.
fn mixed_odds() -> i32 { return (mix_final(0u) + mix_final(1u)) >> 1u; }
