// What contexts of the bit mixer know of machine code: where in an instruction of x86 and of WebAssembly the next byte
// stands, and whether the last bytes look like text at all. docs/MIXER.md, "Binary", "x86", "WebAssembly".
//
// Exact: all is u32. Every invocation keeps all of it for itself and moves it alike.

const AT_OPCODE = 0u;
const AT_SECOND = 1u;
const AT_MODRM = 2u;
const AT_SIB = 3u;
const AT_DISPLACEMENT = 4u;
const AT_IMMEDIATE = 5u;

var<private> score: u32;
var<private> code_place: u32;
// Bytes of the displacement or immediate that are to come.
var<private> code_left: u32;
var<private> opcode: u32;
var<private> is_second: u32;
var<private> modrm: u32;
// Of the instruction: its table's entry, and the bytes that come behind this part.
var<private> code_entry: u32;
var<private> displacement: u32;
var<private> immediate: u32;
// The last three opcodes and prefixes, the newest lowest.
var<private> opcodes: u32;
var<private> wasm_opcodes: u32;
var<private> wasm_left: u32;

fn is_binary() -> bool { return score >= SCORE_OF_BINARY; }

// Less than 192: where both kinds of instructions stand.
fn both_places() -> u32 { return wasm_left * 64u + code_place * 8u + code_left; }

fn code_value(part: u32) -> u32 {
  let here = (modrm << 16u) ^ (code_place << 5u) ^ code_left;
  switch (part) {
    case PART_X86: { return (opcodes << 8u) ^ here; }
    case PART_X86_OPCODE: { return (is_second << 30u) ^ (opcode << 8u) ^ here; }
    case PART_WASM: { return wasm_opcodes * 4u + wasm_left; }
    default: { return (wasm_opcodes & 255u) * 4u + wasm_left; }
  }
}

// What comes behind the part of the instruction that has ended.
fn go_on() {
  if (displacement > 0u) {
    code_place = AT_DISPLACEMENT;
    code_left = displacement;
    displacement = 0u;
  } else if (immediate > 0u) {
    code_place = AT_IMMEDIATE;
    code_left = immediate;
    immediate = 0u;
  } else {
    code_place = AT_OPCODE;
    code_left = 0u;
    modrm = 0u;
  }
}

fn follow_opcode(y: u32) {
  let entry = table_byte(TABLE_INSTRUCTIONS, code_place * SECOND_OPCODES + y);
  if ((entry & IS_ESCAPE) != 0u) {
    code_place = AT_SECOND;
    return;
  }
  opcodes = ((opcodes << 8u) | y) & 0xffffffu;
  if ((entry & IS_PREFIX) != 0u) { return; }
  is_second = code_place;
  opcode = y;
  code_entry = entry;
  displacement = 0u;
  immediate = entry & IMMEDIATE_BYTES;
  if ((entry & HAS_MODRM) != 0u) { code_place = AT_MODRM; } else { go_on(); }
}

fn follow_modrm(y: u32) {
  modrm = y;
  if ((code_entry & IMMEDIATE_OF_REGISTER_0) != 0u && (y & 0x38u) != 0u) { immediate = 0u; }
  let mode = y >> 6u;
  displacement = 0u;
  if (mode == 1u) { displacement = 1u; }
  if (mode == 2u || (mode == 0u && (y & 7u) == 5u)) { displacement = 4u; }
  if (mode != 3u && (y & 7u) == 4u) { code_place = AT_SIB; } else { go_on(); }
}

fn follow_x86(y: u32) {
  if (code_place <= AT_SECOND) {
    follow_opcode(y);
  } else if (code_place == AT_MODRM) {
    follow_modrm(y);
  } else if (code_place == AT_SIB) {
    if (modrm < 64u && (y & 7u) == 5u) { displacement = 4u; }
    go_on();
  } else {
    code_left--;
    if (code_left == 0u) { go_on(); }
  }
}

fn follow_wasm(y: u32) {
  if (wasm_left > 0u) {
    // A number ends with a byte below 128.
    if (y < 128u) { wasm_left--; }
    return;
  }
  wasm_opcodes = ((wasm_opcodes << 8u) | y) & 0xffffffu;
  wasm_left = table_byte(TABLE_INSTRUCTIONS, WASM_OPCODES + y);
}

fn follow_code(y: u32) {
  let is_control = y < 9u || (y >= 14u && y < 32u) || y == 255u;
  if (is_control) {
    score = min(score + SCORE_STEP, SCORE_MAX);
  } else if (score > 0u) {
    score--;
  }
  follow_x86(y);
  follow_wasm(y);
}
