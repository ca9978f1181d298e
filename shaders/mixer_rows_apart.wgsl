// Where a lane's rows of the refining map lie: in one of four buffers, as many lanes to each as fit into a binding. The
// rows are five sixths of what a lane has learnt; without them four times as many lanes fit into one dispatch, and
// dispatches come one after the other, however few lanes they have. mixer_rows_within.wgsl is for fewer lanes.
//
// Exact: words are copied.

@group(0) @binding(8) var<storage, read_write> refine0: array<u32>;      // lanes x REFINE_ROWS x REFINE_ROW_WORDS
@group(0) @binding(9) var<storage, read_write> refine1: array<u32>;      // as many lanes more
@group(0) @binding(10) var<storage, read_write> refine2: array<u32>;
@group(0) @binding(11) var<storage, read_write> refine3: array<u32>;

var<private> rows_buffer: u32;
var<private> rows_at: u32;

fn find_refine(group: u32) {
  let lanes = jobs[JOB_REFINE_LANES];
  rows_buffer = group / lanes;
  rows_at = group % lanes * (REFINE_ROWS * REFINE_ROW_WORDS);
}

fn refine_place(row: u32) -> u32 { return rows_at + row * REFINE_ROW_WORDS; }

fn refine_word(at: u32) -> u32 {
  switch (rows_buffer) {
    case 0u: { return refine0[at]; }
    case 1u: { return refine1[at]; }
    case 2u: { return refine2[at]; }
    default: { return refine3[at]; }
  }
}

fn store_refine_word(at: u32, word: u32) {
  switch (rows_buffer) {
    case 0u: { refine0[at] = word; }
    case 1u: { refine1[at] = word; }
    case 2u: { refine2[at] = word; }
    default: { refine3[at] = word; }
  }
}
