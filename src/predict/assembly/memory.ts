/** The module's own memory: behind its few constants, everything is laid out by the caller. */

/** Where the caller may begin to put things, a multiple of 16. */
export function dataStart(): usize {
  return (__heap_base + 15) & ~15;
}

/** Makes the memory at least so many bytes large. @returns whether it is */
export function growTo(bytes: usize): bool {
  const wanted = <i32>((bytes + 0xffff) >> 16);
  const found = memory.size();
  return wanted <= found || memory.grow(wanted - found) >= 0;
}
