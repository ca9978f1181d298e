/**
 * A shared library of Linux that shows when it is loaded, made byte by byte, so that tests need no compiler: before
 * anybody can call it, it says so on standard error and ends the process with an exit code of its own.
 */

export const PLANTED_EXIT = 99;
export const PLANTED_TEXT = "the planted library was executed\n";

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const DYNAMIC_AT = 0x200;
const CODE_AT = 0x300;
const TEXT_AT = 0x400;
const TABLES_AT = 0x500;
const SIZE_BYTES = 0x600;
const [PT_LOAD, PT_DYNAMIC] = [1, 2];
const [DT_NULL, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT, DT_INIT] = [0, 5, 6, 10, 11, 12];

/** write(2, text, length); exit_group(99). The text is addressed relative to the code, for where it lies is unknown. */
function code(): { readonly machine: number; readonly bytes: number[] } {
  const length = PLANTED_TEXT.length;
  if (process.arch === "x64") {
    const distance = TEXT_AT - (CODE_AT + 17);
    return {
      machine: 62,
      bytes: [
        ...[0xb8, 1, 0, 0, 0], // mov eax, write
        ...[0xbf, 2, 0, 0, 0], // mov edi, 2
        ...[0x48, 0x8d, 0x35, distance, distance >> 8, 0, 0], // lea rsi, [rip + distance]
        ...[0xba, length, 0, 0, 0], // mov edx, length
        ...[0x0f, 0x05], // syscall
        ...[0xb8, 231, 0, 0, 0], // mov eax, exit_group
        ...[0xbf, PLANTED_EXIT, 0, 0, 0], // mov edi, 99
        ...[0x0f, 0x05],
      ],
    };
  }
  const movz = (register: number, value: number) => 0xd2800000 | (value << 5) | register;
  const adr = 0x10000001 | (((TEXT_AT - (CODE_AT + 4)) >> 2) << 5); // adr x1, text
  const svc = 0xd4000001;
  const words = [movz(0, 2), adr, movz(2, length), movz(8, 64), svc, movz(0, PLANTED_EXIT), movz(8, 94), svc];
  return { machine: 183, bytes: [...new Uint8Array(new Uint32Array(words).buffer)] };
}

export function plantedLibrary(): Uint8Array {
  const bytes = new Uint8Array(SIZE_BYTES);
  const view = new DataView(bytes.buffer);
  const { machine, bytes: instructions } = code();
  const word = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // ELF, 64 bits, little-endian
  view.setUint16(16, 3, true); // a shared object
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  word(32, HEADER_BYTES); // where the program headers are
  [HEADER_BYTES, PROGRAM_HEADER_BYTES, 2].forEach((value, index) => {
    view.setUint16(52 + 2 * index, value, true);
  });
  const dynamic = [
    ...[DT_STRTAB, TABLES_AT, DT_SYMTAB, TABLES_AT + 8, DT_STRSZ, 1],
    ...[DT_SYMENT, 24, DT_INIT, CODE_AT, DT_NULL, 0],
  ];
  dynamic.forEach((value, index) => {
    word(DYNAMIC_AT + 8 * index, value);
  });
  const header = (index: number, type: number, flags: number, at: number, size: number) => {
    const start = HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
    view.setUint32(start, type, true);
    view.setUint32(start + 4, flags, true);
    [at, at, at, size, size, type === PT_LOAD ? 0x1000 : 8].forEach((value, field) => {
      word(start + 8 + 8 * field, value);
    });
  };
  header(0, PT_LOAD, 7, 0, SIZE_BYTES);
  header(1, PT_DYNAMIC, 6, DYNAMIC_AT, 8 * dynamic.length);
  bytes.set(instructions, CODE_AT);
  bytes.set(new TextEncoder().encode(PLANTED_TEXT), TEXT_AT);
  return bytes;
}
