// What contexts of the bit mixer know of text: words, lines, brackets, shapes, followers. docs/MIXER.md, "Contexts".
//
// Exact: all is u32, which wraps. Every invocation keeps the scalars for itself and moves them alike; what lies in
// memory only the first one writes, and a barrier follows.

var<private> word: u32;
var<private> word_before: u32;
var<private> word_third: u32;
// Classes of the last eight bytes, four bits each.
var<private> shape: u32;
// Letters that the last bytes are, from a to z, at most WORD_LETTERS_MAX.
var<private> letters: u32;
// Brackets that are open, and what stood before the innermost.
var<private> depth: u32;
var<workgroup> opened: array<u32, OPENED_MAX>;
// Where this line of text and the one before begin.
var<private> line_start: u32;
var<private> line_before: u32;

// The words of both followers of the newest bytes, and the byte above, which are asked for at once.
var<private> followers1: u32;
var<private> followers2: u32;
var<private> above: u32;

fn follower_word(at: u32, key: u32) -> u32 { return seen_at + at + key / 2u; }

// Before each byte: what text_value takes from memory.
fn bring_text() {
  followers1 = seen[follower_word(SEEN_FOLLOWERS1, last & 255u)];
  followers2 = seen[follower_word(SEEN_FOLLOWERS2, last & 65535u)];
  above = byte_above();
}

fn follower(word: u32) -> u32 { return extractBits(word, 16u * (last % 2u), 16u) | ((last & 255u) << 16u); }

// The byte of the line before in the column that comes; a line's end if that line is shorter.
fn byte_above() -> u32 {
  let at = line_before + time - line_start;
  if (at >= line_start) { return NEWLINE; }
  return history_byte(at);
}

fn text_value(part: u32) -> u32 {
  switch (part) {
    case PART_WORD: { return word; }
    case PART_WORD_BEFORE: { return word_before; }
    case PART_WORD_THIRD: { return word_third; }
    case PART_FOLLOWERS1: { return follower(followers1); }
    case PART_FOLLOWERS2: { return follower(followers2); }
    case PART_SHAPE: { return shape; }
    case PART_SHORT_SHAPE: { return shape & 65535u; }
    case PART_OPENED: {
      if (depth == 0u) { return 0u; }
      return opened[(depth - 1u) % OPENED_MAX];
    }
    case PART_COLUMN: { return min(time - line_start, COLUMN_MAX); }
    default: { return above; }
  }
}

fn is_lower(y: u32) -> bool { return y >= 97u && y <= 122u; }
fn is_upper(y: u32) -> bool { return y >= 65u && y <= 90u; }

// One of 16 classes of bytes.
fn byte_class(y: u32) -> u32 {
  if (is_lower(y)) { return 1u; }
  if (is_upper(y)) { return 2u; }
  if (y >= 48u && y <= 57u) { return 3u; }
  if (y == 32u) { return 4u; }
  if (y == NEWLINE) { return 5u; }
  if (y == 0u) { return 6u; }
  if (y == 255u) { return 7u; }
  if (y < 32u) { return 8u; }
  if (y >= 128u) { return 9u + ((y >> 6u) & 1u); }
  return 11u + ((y * MIX_MULTIPLIER) >> 16u) % 5u;
}

fn opens(y: u32) -> bool { return y == 40u || y == 91u || y == 123u || y == 60u; }
fn closes(y: u32) -> bool { return y == 41u || y == 93u || y == 125u || y == 62u; }

// The byte y behind those whose followers were brought.
fn note_follower(at: u32, key: u32, word: u32, y: u32) {
  let shift = 16u * (key % 2u);
  seen[follower_word(at, key)] = insertBits(word, (extractBits(word, shift, 16u) << 8u) | y, shift, 16u);
}

// What one invocation writes of the byte y, which is the newest of the past already.
fn store_text(y: u32) {
  note_follower(SEEN_FOLLOWERS1, (last >> 8u) & 255u, followers1, y);
  note_follower(SEEN_FOLLOWERS2, (last >> 8u) & 65535u, followers2, y);
  if (opens(y)) { opened[depth % OPENED_MAX] = ((last >> 8u) | (recent_byte(5u) << 24u)) + 1u; }
}

// What all of them keep of it, after store_text.
fn follow_text(y: u32) {
  shape = (shape << 4u) | byte_class(y);
  letters = select(0u, min(letters + 1u, WORD_LETTERS_MAX), is_upper(y) || is_lower(y));
  if (opens(y)) { depth++; } else if (closes(y) && depth > 0u) { depth--; }
  if (is_upper(y) || is_lower(y) || y >= 128u) {
    word = mix_into(word, select(y, y + 32u, is_upper(y)));
  } else {
    if (word != 0u) {
      word_third = word_before;
      word_before = word;
    }
    word = 0u;
  }
  if (y == NEWLINE) {
    line_before = line_start;
    line_start = time;
  }
}
