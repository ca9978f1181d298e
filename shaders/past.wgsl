// The bytes that each stream has had, for kernels that bind `bytes`: a ring of PAST_ROWS rows, the row of step t at
// t % PAST_ROWS, one byte of each stream to a row, four in a word. Rows of the future are there, too: a whole chunk is
// uploaded at once, so the ring is that much longer than the reach. Before the first step all bytes are 0.

// The byte that stream b has in step `step - offset`.
fn byte_before(b: u32, step: u32, offset: u32) -> u32 {
  let row = (step + PAST_ROWS - offset) % PAST_ROWS;
  return extractBits(bytes[row * model.ROW_WORDS + b / 4u], 8u * (b % 4u), 8u);
}
