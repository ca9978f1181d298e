// Where a lane's rows of the refining map lie: in `learnt`, with all else that it has learnt. mixer_rows_apart.wgsl is
// the same for lanes whose rows have buffers of their own.
//
// Exact: words are copied.

fn find_refine(group: u32) {}
fn refine_place(row: u32) -> u32 { return learnt_at + LEARNT_REFINE + row * REFINE_ROW_WORDS; }
fn refine_word(at: u32) -> u32 { return learnt[at]; }
fn store_refine_word(at: u32, word: u32) { learnt[at] = word; }
