// The bytes of a lane's block so far, and the tables that all lanes read, for kernels that bind `history`, `tables` and
// `jobs`: docs/MIXER.md, "Arithmetic".
//
//   past_byte(o) = the byte o places back, 1 the newest; 0 before the first
//
// Exact: bytes are copied. The newest RECENT bytes lie in workgroup memory, a ring, place t % RECENT for byte t; what
// was before the first is 0 there. A function is a piece of code wherever it is called, and compilers take seconds for
// many of them: so what lies near is read as recent_byte, and past_byte has few callers.

const RECENT = 64u;
var<workgroup> recent: array<u32, RECENT>;

// Bytes of the block so far, and the last four, the newest lowest.
var<private> time: u32;
var<private> last: u32;
// The lane's first word in `history`.
var<private> history_at: u32;

fn history_byte(at: u32) -> u32 { return extractBits(history[history_at + at / 4u], 8u * (at % 4u), 8u); }

// For o of 1 ... RECENT.
fn recent_byte(o: u32) -> u32 { return recent[(time - o) % RECENT]; }

fn past_byte(o: u32) -> u32 {
  if (o <= RECENT) { return recent_byte(o); }
  if (o > time) { return 0u; }
  return history_byte(time - o);
}

fn table_byte(at: u32, i: u32) -> u32 { return extractBits(tables[at + i / 4u], 8u * (i % 4u), 8u); }
fn table_half(at: u32, i: u32) -> u32 { return extractBits(tables[at + i / 2u], 16u * (i % 2u), 16u); }

// Log odds (Q8) of a probability of 12 bits; the probability of log odds in Q8.
fn stretched(p: u32) -> i32 { return extractBits(i32(tables[TABLE_STRETCH + p / 2u]), 16u * (p % 2u), 16u); }
fn squashed(x: i32) -> i32 { return i32(table_half(TABLE_SQUASH, u32(x + SQUASH_ZERO))); }
