/** What follows from a block that a reader has let pass, and from its lists, before anything of it is decoded. */
import { ByteReader } from "../archive/bytes.ts";
import { CorruptError } from "../archive/errors.ts";
import { type Block, FORMAT_VERSION_9 } from "../archive/format.ts";
import type { ForeseenBlock } from "../predict/foresight.ts";
import { decodeStretches, type Numbers, type Stretch } from "../predict/list.ts";
import { COPY_BYTES_MIN } from "../repeats/copies.ts";

/** Whether the plain bytes are more than a view of the block's payload. */
export const isMade = ({ kind, copies, stretches }: Block) =>
  kind === "coded" || copies !== undefined || stretches !== undefined;

/** That the model sees. */
export const seenBytesOf = ({ copies, plainBytes }: Block) => copies?.restBytes ?? plainBytes;

/** @param version of the block's format @throws CorruptError */
export function stretchesOf(block: Block, version: number, offsetBytes: number): readonly Stretch[] {
  const { stretches, isForeseen = false } = block;
  const list = stretches ? decodeStretches(stretches, seenBytesOf(block), isForeseen, offsetBytes) : [];
  const isNew = list.some(({ numbers }) => isOfVersion9(numbers));
  if (isNew && version < FORMAT_VERSION_9) {
    const expected = `no damped table, colours or differences in version ${version}`;
    throw new CorruptError(offsetBytes, "a list of stretches", expected, "one");
  }
  return list;
}

function isOfVersion9(numbers: Numbers): boolean {
  if (numbers.kind === "table") return numbers.isDamped === true;
  return numbers.kind === "colours" || numbers.kind === "differences";
}

/** What the lanes are told of a block whose pixels they foresee. */
export function foreseenOf(block: Block, stretches: readonly Stretch[]): ForeseenBlock | undefined {
  return block.isForeseen ? { stretches, seenBytes: seenBytesOf(block) } : undefined;
}

/** The number of copies that a block's list begins with; the list itself is read later. @throws CorruptError */
export function copiesIn({ copies, plainBytes }: Block, offsetBytes: number): number {
  if (!copies) return 0;
  const reader = new ByteReader(copies.list, 0, offsetBytes);
  return reader.varintWithin("the number of copies", 0, Math.floor(plainBytes / COPY_BYTES_MIN));
}
