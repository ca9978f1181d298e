/**
 * Small frames, both ways: a whole frame of one block whose head has only what that block needs, so that a few bytes do
 * not become many. There are no index, no length from behind and no second check, and the model is that of a level.
 *
 * The one check has 32 bits of the plain bytes' check, exclusive-or a hash of all else in the frame: no bit can change
 * unnoticed, even where a coder would not mind, and the plain bytes' check can be shown.
 */

import { STRIDE_MAX } from "../contract/contexts.ts";
import { ceilLog2 } from "../contract/fixed.ts";
import type { LanePrior } from "../contract/prior.ts";
import { hyperForSize, levelOf, networkOf } from "../model/levels.ts";
import { host } from "../platform/host.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import { CHECK_START, chainCheck, checkText, lowCheck } from "./checksum.ts";
import { CorruptError } from "./errors.ts";
import { fillBytesOf } from "./fills.ts";
import {
  type Block,
  type BlockHead,
  type BlockKind,
  FORM_CUT,
  FORM_LEVEL_MAX,
  FORM_PATTERN,
  FORM_PRIOR,
  FORM_STATED,
  FORM_STORED,
  FORM_VERSION_SHIFT,
  FORMAT_VERSION,
  FORMAT_VERSION_6,
  FORMAT_VERSION_8,
  FORMAT_VERSION_9,
  type FrameHeader,
  type FrameModel,
  MAGIC,
  PAYLOAD_SLACK_BYTES_PER_GROUP,
  PLAIN_BYTES_PER_PAYLOAD_BYTE_MAX,
  SMALL_BYTES_MAX,
  SMALL_STRETCH_LIST_BYTES_MAX,
  SMALL_STRIDE_BYTES_MIN,
  type SmallFacts,
  STATED_BODY_BYTES_MAX,
  STATED_BYTES_MAX,
  STRETCH_LIST_BYTES_MAX,
  STRIDE_WITH_FORESIGHT,
  STRIDE_WITH_STRETCHES,
} from "./format.ts";
import { type PriorReference, readPriorReference, writePriorReference } from "./prior-reference.ts";
import { numberOfModel, readModelNumber } from "./stated-model.ts";

/** Longer patterns leave enough for the model to be better. */
export const SMALL_PATTERN_BYTES_MAX = 8;
const FORM_MASK = FORM_CUT - 1;
/** Lines of a lane behind a prior: 2^10, or 2^12 with tallies, to 2^18. */
const PRIOR_BITS_MIN = 10;
const TALLIED_BITS_MIN = 12;
const PRIOR_BITS_MAX = 18;
const NOTHING = new Uint8Array(0);

/**
 * The model that a level, 1 to 9, has in a small frame.
 *
 * @param seenBytes what the model sees
 * @param version of the format: in version 6 levels were sizes of the network
 */
export function smallModel(level: number, seenBytes: number, version: number = FORMAT_VERSION): FrameModel {
  const model = version <= FORMAT_VERSION_6 ? networkOf(level) : levelOf(level);
  return { hyper: hyperForSize(model, seenBytes), groupCount: 1 };
}

/**
 * The model that a prior gives in a small frame. Content that is not skimmed has lines, too; tallies have none before
 * their contexts are met, but fill what they get.
 *
 * @param seenBytes what the model sees
 */
export function smallModelBehind(prior: LanePrior, seenBytes: number): FrameModel {
  const { contexts, content, skimmedBytes = 0, tallies } = prior;
  const { hyper, groupCount } = smallModel(1, seenBytes);
  const digits = ceilLog2(Math.max(1, content.length - skimmedBytes + seenBytes));
  const bits = tallies ? Math.max(TALLIED_BITS_MIN, digits) : Math.max(PRIOR_BITS_MIN, digits - 1);
  return { hyper: { ...hyper, mixerContexts: contexts, mixerBits: Math.min(PRIOR_BITS_MAX, bits) }, groupCount };
}

/** The level that has this model in a small frame, if one has. */
export function levelOfModel(model: FrameModel, seenBytes: number): number | undefined {
  const entries = (other: FrameModel) => Object.entries({ ...other.hyper, groups: other.groupCount }).sort();
  const wanted = `${entries(model)}`;
  for (let level = 1; level <= FORM_LEVEL_MAX; level += 1) {
    if (`${entries(smallModel(level, seenBytes))}` === wanted) return level;
  }
  return undefined;
}

/**
 * A small frame of `block`, or of nothing. The block's check is of its plain bytes alone, and all of it.
 *
 * @param model of a coded block: a level, or the prior that it begins with
 * @throws RangeError for a block that no reader would accept
 */
export function encodeSmallFrame(block?: Block, model?: number | PriorReference): Uint8Array {
  const plainBytes = (block?.plainBytes ?? 0) + fillBytesOf(block?.fills);
  if (plainBytes > SMALL_BYTES_MAX) throw new RangeError(`${plainBytes} bytes in a small frame`);
  const head = new ByteWriter().raw(MAGIC);
  if (!block) return withCheck(head.u8(formOf(FORM_STORED)).varint(0), chainCheck(NOTHING, CHECK_START), []);
  const { copies, stretches, check } = block;
  if (block.fills) {
    const [{ pattern } = { pattern: new Uint8Array(0) }] = block.fills;
    const isAll = block.fills.length === 1 && block.plainBytes === 0 && block.kind === "stored";
    if (!isAll || pattern.length < 1 || pattern.length > Math.min(plainBytes, SMALL_PATTERN_BYTES_MAX)) {
      throw new RangeError("fills in a small frame");
    }
    head.u8(formOf(FORM_PATTERN)).varint(plainBytes).varint(pattern.length).raw(pattern);
    return withCheck(head, check, []);
  }
  const isCoded = block.kind === "coded";
  if (block.kind === "learned" || (isCoded && (model === undefined || block.groups.length !== 1))) {
    throw new RangeError(`a ${block.kind} block of level ${model} in a small frame`);
  }
  const prior = isCoded && typeof model === "object" ? model : undefined;
  const form = !isCoded ? FORM_STORED : prior ? FORM_PRIOR : (model as number);
  head.u8(formOf(form | (copies ? FORM_CUT : 0), FORMAT_VERSION));
  if (prior) writePriorReference(head, prior);
  head.varint(plainBytes);
  if (copies) head.varint(copies.restBytes).varint(copies.list.length);
  const payload = block.kind === "coded" ? (block.groups[0] as Uint8Array) : block.payload;
  if (stretches) checkStretches(block.kind, stretches, SMALL_STRETCH_LIST_BYTES_MAX);
  if (block.kind === "coded") writeCoded(head, block, payload.length);
  return withCheck(head, check, [...listsOf(block), payload]);
}

/**
 * A small frame of a coded block that states its model; undefined if block or model do not fit into one.
 *
 * @param priorNumber of the built-in prior, 0 for none
 */
export function encodeStatedFrame(block: Block, model: FrameModel, priorNumber: number): Uint8Array | undefined {
  const { plainBytes, copies, fills, check } = block;
  const number = numberOfModel(model, copies?.restBytes ?? plainBytes, priorNumber);
  if (block.kind !== "coded" || fills || number === undefined || plainBytes > STATED_BYTES_MAX) return undefined;
  const body = host.concatenate([...listsOf(block), ...block.groups]);
  if (body.length > STATED_BODY_BYTES_MAX) return undefined;
  const form = formOf(FORM_STATED | (copies ? FORM_CUT : 0));
  const head = new ByteWriter().raw(MAGIC).u8(form).varint(number).varint(plainBytes);
  if (copies) head.varint(copies.restBytes).varint(copies.list.length);
  writeStride(head, block);
  head.varint((block.groups[0] as Uint8Array).length);
  return withCheck(head, check, [body]);
}

/** The lists before a block's payload. */
export function listsOf({ copies, stretches }: Block): Uint8Array[] {
  return [...(copies ? [copies.list] : []), ...(stretches ? [stretches] : [])];
}

/** @throws RangeError */
export function checkStretches(kind: BlockKind, { length }: Uint8Array, bytesMax = STRETCH_LIST_BYTES_MAX): void {
  if (kind !== "stored" && length >= 1 && length <= bytesMax) return;
  throw new RangeError(`${length} bytes of stretches in a ${kind} block`);
}

/** The stride of a block, and the length of its list of stretches, if it has one. @throws RangeError */
export function writeStride(
  head: ByteWriter,
  { stride = 0, stretches, isForeseen }: Pick<Block, "stride" | "stretches" | "isForeseen">,
): void {
  if (isForeseen && !stretches) throw new RangeError("foresight of no stretches");
  const foresight = isForeseen ? STRIDE_WITH_FORESIGHT : 0;
  if (stretches) head.varint(stride + STRIDE_WITH_STRETCHES + foresight).varint(stretches.length);
  else head.varint(stride);
}

/** @throws TruncatedError, CorruptError */
export function readStride(
  reader: ByteReader,
  version: number,
  listBytesMax = STRETCH_LIST_BYTES_MAX,
): Pick<BlockHead, "stride" | "stretchBytes" | "isForeseen"> {
  const { position } = reader;
  const stated = reader.varintWithin("the stride of a block", 0, strideStatedMax(version));
  const stride = stated % STRIDE_WITH_STRETCHES;
  const isListed = (stated & STRIDE_WITH_STRETCHES) !== 0;
  const isForeseen = stated >= STRIDE_WITH_FORESIGHT;
  if (isForeseen && !isListed)
    throw new CorruptError(position, "the stride of a block", "one with stretches", `${stated}`);
  const stretchBytes = isListed ? reader.varintWithin("the length of a list of stretches", 1, listBytesMax) : undefined;
  return {
    ...(stride > 0 && { stride }),
    ...(stretchBytes !== undefined && { stretchBytes }),
    ...(isForeseen && { isForeseen }),
  };
}

function strideStatedMax(version: number): number {
  if (version < FORMAT_VERSION_8) return STRIDE_MAX;
  return STRIDE_MAX + STRIDE_WITH_STRETCHES + (version > FORMAT_VERSION_8 ? STRIDE_WITH_FORESIGHT : 0);
}

const formOf = (form: number, version = FORMAT_VERSION) => ((version - FORMAT_VERSION_6) << FORM_VERSION_SHIFT) | form;

function writeCoded(head: ByteWriter, block: Block, payloadBytes: number): void {
  const { plainBytes, copies, stride = 0, stretches } = block;
  const isLong = (copies?.restBytes ?? plainBytes) >= SMALL_STRIDE_BYTES_MIN;
  if (payloadBytes > 0xffff || ((stride > 0 || stretches) && !isLong)) {
    throw new RangeError(`a payload of ${payloadBytes} bytes, a stride of ${stride} in a small frame`);
  }
  if (!isLong) {
    head.varint(payloadBytes);
    return;
  }
  writeStride(head, block);
  head.u8(payloadBytes).u8(payloadBytes >> 8);
}

function withCheck(head: ByteWriter, check: bigint, payload: readonly Uint8Array[]): Uint8Array {
  const body = host.concatenate(payload);
  const cover = coverOf(chainCheck(head.finish(), CHECK_START), body);
  return head
    .u32(Number(lowCheck(check) ^ cover))
    .raw(body)
    .finish();
}

/** Low 32 bits of what lies over the check of the plain bytes. @param seal the check of the head */
const coverOf = (seal: bigint, body: Uint8Array) => lowCheck(chainCheck(body, seal));

/** The check of the plain bytes. @param body of the frame: copies and payload */
export function uncover({ seal, covered }: SmallFacts, body: Uint8Array): bigint {
  return covered ^ coverOf(seal, body);
}

/**
 * The head of a small frame, behind its form; the payload is not waited for.
 *
 * @param start the offset of the magic
 * @throws TruncatedError, CorruptError
 */
export function readSmallHead(reader: ByteReader, version: number, form: number, start: number): FrameHeader {
  const formAt = reader.position - 1;
  const kind = form & FORM_MASK;
  const isCut = (form & FORM_CUT) !== 0;
  const behind = kind === FORM_PRIOR && version >= FORMAT_VERSION_8 ? readPriorReference(reader, true) : undefined;
  const stated = kind === FORM_STATED && version >= FORMAT_VERSION_9 ? readModelNumber(reader) : undefined;
  const lengthAt = reader.position;
  const plainBytes = reader.varintWithin("the original length", 0, stated ? STATED_BYTES_MAX : SMALL_BYTES_MAX);
  if ((kind > FORM_PATTERN && !behind && !stated) || (kind === FORM_PATTERN && isCut)) {
    throw new CorruptError(formAt, "the form of a frame", "one that there is", `${form}`);
  }
  if (plainBytes === 0) {
    if (form !== FORM_STORED) throw new CorruptError(lengthAt, "the original length", "1 or more", "0");
    const small = readCheck(reader, start);
    const check = uncover(small, NOTHING);
    const empty = lowCheck(chainCheck(NOTHING, CHECK_START));
    if (check === empty) return { version, plainBytes, blockBytes: 0, small };
    throw new CorruptError(
      reader.position - 4,
      "the checksum of a small frame",
      checkText(empty, true),
      checkText(check, true),
    );
  }
  const facts = { version, plainBytes, blockBytes: plainBytes };
  if (kind === FORM_PATTERN) {
    const head = readPattern(reader, plainBytes);
    return { ...facts, small: { head, ...readCheck(reader, start) } };
  }
  const isCoded = kind !== FORM_STORED;
  const blockKind = isCoded ? "coded" : "stored";
  const cut = isCut ? readCut(reader, blockKind, plainBytes) : undefined;
  const seenBytes = cut?.restBytes ?? plainBytes;
  const { payloadBytes, ...coded }: CodedFacts = stated
    ? readStated(reader, seenBytes, version, cut?.listBytes ?? 0)
    : isCoded
      ? readCoded(reader, seenBytes, version)
      : { payloadBytes: seenBytes };
  const head: BlockHead = {
    kind: blockKind,
    plainBytes,
    lengths: [payloadBytes],
    ...(cut && { cut }),
    ...coded,
    check: CHECK_START, // not known before the payload
  };
  const small = { head, ...readCheck(reader, start) };
  if (behind) return { ...facts, prior: behind, small };
  const model = isCoded && (stated?.modelFor(seenBytes) ?? smallModel(kind, seenBytes, version));
  const prior = stated && stated.priorNumber > 0 && { prior: { number: stated.priorNumber } };
  return { ...facts, ...prior, ...(model && { model }), small };
}

function readPattern(reader: ByteReader, plainBytes: number): BlockHead {
  const patternBytesMax = Math.min(plainBytes, SMALL_PATTERN_BYTES_MAX);
  const patternBytes = reader.varintWithin("the length of a pattern", 1, patternBytesMax);
  const pattern = reader.take("a pattern", patternBytes).slice();
  const fills = [{ gapBytes: 0, lengthBytes: plainBytes, pattern }];
  return { kind: "stored", plainBytes: 0, lengths: [0], fills, check: CHECK_START };
}

/** What a block with copies says of them. A list is never longer than what it saves; a model has something to do. */
export function readCut(reader: ByteReader, kind: BlockKind, plainBytes: number): NonNullable<BlockHead["cut"]> {
  const restBytes = reader.varintWithin("the length of a rest", kind === "stored" ? 0 : 1, plainBytes - 1);
  return { restBytes, listBytes: reader.varintWithin("the length of a list of copies", 1, plainBytes - restBytes) };
}

interface CodedFacts extends Pick<BlockHead, "stride" | "stretchBytes" | "isForeseen"> {
  readonly payloadBytes: number;
}

function readCoded(reader: ByteReader, seenBytes: number, version: number): CodedFacts {
  const field = "the length of the payload";
  if (seenBytes < SMALL_STRIDE_BYTES_MIN) {
    return { payloadBytes: reader.varintWithin(field, 0, SMALL_STRIDE_BYTES_MIN - 1) };
  }
  const facts = readStride(reader, version, SMALL_STRETCH_LIST_BYTES_MAX);
  const low = reader.u8(field);
  return { ...facts, payloadBytes: low | (reader.u8(field) << 8) };
}

/** The same of a frame that states its model. @param listBytes of copies */
function readStated(reader: ByteReader, seenBytes: number, version: number, listBytes: number): CodedFacts {
  const facts = readStride(reader, version, STATED_BODY_BYTES_MAX);
  const at = reader.position;
  const field = "the length of the payload";
  const roomBytes = STATED_BODY_BYTES_MAX - listBytes - (facts.stretchBytes ?? 0);
  if (roomBytes < 0) throw new CorruptError(at, field, `lists of ${STATED_BODY_BYTES_MAX} bytes`, "longer ones");
  const payloadBytes = reader.varintWithin(field, 0, roomBytes);
  const seenBytesMax = (payloadBytes + PAYLOAD_SLACK_BYTES_PER_GROUP) * PLAIN_BYTES_PER_PAYLOAD_BYTE_MAX;
  if (seenBytes <= seenBytesMax) return { ...facts, payloadBytes };
  throw new CorruptError(at, field, `more for ${seenBytes} bytes`, `${payloadBytes}`);
}

/** @param start of the head, which ends here */
function readCheck(reader: ByteReader, start: number): SmallFacts {
  const seal = chainCheck(reader.bytes.subarray(start, reader.offset), CHECK_START);
  return { seal, covered: BigInt(reader.u32("the checksum of a small frame")) };
}
