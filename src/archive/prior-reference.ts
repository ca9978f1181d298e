/**
 * How a frame names the prior that its model, or its window, begins with: one of those that every program of this
 * format has by a number, any other by its hash.
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { checkText, lowCheck } from "./checksum.ts";

/** Numbers of priors that are built in are 1 to this. */
export const PRIOR_NUMBER_MAX = 255;
/** Stands for a hash. */
const BY_HASH = 0;

/** A prior that a frame needs: by number, by hash, or by the low half of one, which is all that a small frame has. */
export type PriorReference = { readonly number: number } | { readonly hash: bigint; readonly isLow: boolean };

/** @throws RangeError for a number that there cannot be */
export function writePriorReference(writer: ByteWriter, reference: PriorReference): void {
  if ("number" in reference) {
    const { number } = reference;
    if (!Number.isInteger(number) || number < 1 || number > PRIOR_NUMBER_MAX) throw new RangeError(`prior ${number}`);
    writer.u8(number);
    return;
  }
  writer.u8(BY_HASH);
  if (reference.isLow) writer.u32(Number(lowCheck(reference.hash)));
  else writer.u64(reference.hash);
}

/** @param isLow in a small frame @throws TruncatedError */
export function readPriorReference(reader: ByteReader, isLow: boolean): PriorReference {
  const number = reader.u8("the number of a prior");
  if (number !== BY_HASH) return { number };
  const field = "the hash of a prior";
  return { hash: isLow ? BigInt(reader.u32(field)) : reader.u64(field), isLow };
}

/** Bytes that a frame spends on it. */
export const priorReferenceBytes = (reference: PriorReference) => ("number" in reference ? 1 : reference.isLow ? 5 : 9);

/** As messages and lists show it. */
export function priorText(reference: PriorReference): string {
  if ("number" in reference) return `${reference.number}`;
  const { hash, isLow } = reference;
  return checkText(isLow ? lowCheck(hash) : hash, isLow);
}
