/**
 * The file of a prior: what a lane begins with, named by its hash. docs/FORMAT.md has it byte by byte.
 *
 * The content is stored as it is: to decode it would take a second, and to go through it takes a tenth of that. What is
 * read may be anything; whatever passes gives a state that a lane can have.
 */
import { ByteReader, ByteWriter } from "../archive/bytes.ts";
import { CorruptError, UnsupportedVersionError } from "../archive/errors.ts";
import { STRIDE_MAX } from "../contract/contexts.ts";
import { MODEL_CONTRACT_USUAL } from "../contract/hyper.ts";
import { MIXER_CONTEXTS_MAX, MIXER_CONTEXTS_MIN } from "../contract/mixer.ts";
import { type LanePrior, lessonWords, PRIOR_CONTENT_BYTES_MAX } from "../contract/prior.ts";
import { host } from "../platform/host.ts";
import { decodeTrained } from "./state.ts";
import { checkTallies } from "./tally-bytes.ts";

const NOTHING = new Uint8Array(0);

/** "\x89FP\n". */
export const PRIOR_MAGIC = Uint8Array.of(0x89, 0x46, 0x50, 0x0a);
const PRIOR_VERSION = 3;
/** All contexts go through all of the content that is not skimmed. */
const PRIOR_VERSION_2 = 2;
/** Without tallies, too; none of the content is skimmed. */
const PRIOR_VERSION_1 = 1;
const NAME_BYTES_MAX = 64;
const TRAINED_BYTES_MAX = 1 << 22;
const TALLIES_BYTES_MAX = 1 << 22;
const CHECK_BYTES = 8;
/** Of an old file, a lane goes through so much before the first block: the rest comes where it has its place. */
const PATCH_CONTENT_BYTES_MAX = 1 << 18;
/** The same until format version 8, when lanes were not reminded. */
export const PATCH_CONTENT_BYTES_OLD = 1 << 22;
/** Contexts of a prior that is bytes alone: those of the default level. */
const RAW_CONTEXTS = 20;

/** A prior, ready for lanes. */
export interface Prior extends LanePrior {
  /** xxHash64: of the file up to its check, or of bytes that are no such file. */
  readonly hash: bigint;
  /** For people; "" if it has none. */
  readonly name: string;
  /** Of the file. */
  readonly sizeBytes: number;
  /** Of a prior that is built in. */
  readonly number?: number;
  /** Of a prior that patches begin with: all of the old file, into which copies reach. */
  readonly old?: Uint8Array;
}

/** What a prior's file is made of. */
interface PriorParts {
  readonly name: string;
  readonly contexts: number;
  readonly stride: number;
  readonly content: Uint8Array;
  /** The first so many bytes of it are skimmed; absent: none. */
  readonly skimmedBytes?: number;
  /** Which contexts learn which pieces of it, as LanePrior.lessons; absent: all learn all. */
  readonly lessons?: Uint32Array;
  /** As encodeTallies made them; absent: none. */
  readonly tallies?: Uint8Array;
  /** As encodeTrained made them; empty: none. */
  readonly trained: Uint8Array;
}

/** @throws RangeError for parts that no reader would accept */
export function encodePrior(parts: PriorParts): Uint8Array {
  const { name, contexts, stride, content, skimmedBytes = 0, lessons, tallies = NOTHING, trained } = parts;
  const nameBytes = new TextEncoder().encode(name);
  const isTooLong =
    nameBytes.length > NAME_BYTES_MAX ||
    trained.length > TRAINED_BYTES_MAX ||
    tallies.length > TALLIES_BYTES_MAX ||
    content.length > PRIOR_CONTENT_BYTES_MAX ||
    skimmedBytes > content.length ||
    (lessons && lessons.length !== lessonWords(contexts, content.length - skimmedBytes));
  if (isTooLong) throw new RangeError("a prior of such a length");
  const body = new ByteWriter()
    .raw(PRIOR_MAGIC)
    .u8(lessons ? PRIOR_VERSION : PRIOR_VERSION_2)
    .varint(MODEL_CONTRACT_USUAL)
    .varint(contexts)
    .varint(stride)
    .varint(nameBytes.length)
    .raw(nameBytes)
    .varint(content.length)
    .varint(skimmedBytes)
    .varint(tallies.length)
    .varint(trained.length)
    .raw(content);
  for (const word of lessons ?? []) body.u32(word);
  body.raw(tallies).raw(trained);
  const sealed = body.finish();
  return host.concatenate([sealed, new ByteWriter().u64(host.xxHash64(sealed, 0n)).finish()]);
}

/** Whether bytes claim to be a prior; else their content may be one. */
export function isPriorFile(bytes: Uint8Array): boolean {
  return PRIOR_MAGIC.every((byte, i) => bytes[i] === byte);
}

/** What stands before the trained values. @throws UnsupportedVersionError, TruncatedError, CorruptError */
function readFront(bytes: Uint8Array) {
  const reader = new ByteReader(bytes, PRIOR_MAGIC.length);
  if (!isPriorFile(bytes)) throw new CorruptError(0, "the magic of a prior", "89 46 50 0a", "something else");
  const version = reader.u8("the version of a prior");
  if (version < PRIOR_VERSION_1 || version > PRIOR_VERSION) {
    throw new UnsupportedVersionError(4, "format version", version, PRIOR_VERSION);
  }
  const contractAt = reader.position;
  const contract = reader.varintWithin("the model contract of a prior", 0, 0xffff_ffff);
  const contexts = reader.varintWithin("the contexts of a prior", MIXER_CONTEXTS_MIN, MIXER_CONTEXTS_MAX);
  const stride = reader.varintWithin("the stride of a prior", 0, STRIDE_MAX);
  const name = readName(reader);
  const contentBytes = reader.varintWithin("the length of a prior's content", 0, PRIOR_CONTENT_BYTES_MAX);
  const hasTallies = version !== PRIOR_VERSION_1;
  const skimmedBytes = hasTallies
    ? reader.varintWithin("how much of a prior's content is skimmed", 0, contentBytes)
    : 0;
  const talliesBytes = hasTallies ? reader.varintWithin("the length of tallies", 0, TALLIES_BYTES_MAX) : 0;
  const trainedBytes = reader.varintWithin("the length of trained values", 0, TRAINED_BYTES_MAX);
  const content = reader.take("the content of a prior", contentBytes);
  const lessons = version === PRIOR_VERSION && readLessons(reader, lessonWords(contexts, contentBytes - skimmedBytes));
  const lengths = { talliesBytes, trainedBytes };
  const facts = { contexts, stride, name, skimmedBytes, ...(lessons && { lessons }) };
  return { reader, contractAt, contract, facts, content, lengths };
}

/** @throws UnsupportedVersionError, TruncatedError, CorruptError */
export function decodePrior(bytes: Uint8Array): Prior {
  const { reader, contractAt, contract, facts, content, lengths } = readFront(bytes);
  const { contexts } = facts;
  const found = host.xxHash64(bytes.subarray(0, Math.max(0, bytes.length - CHECK_BYTES)), 0n);
  const talliesAt = reader.position;
  const tallies = reader.take("the tallies of a prior", lengths.talliesBytes);
  const trainedAt = reader.position;
  const trained = reader.take("the trained values of a prior", lengths.trainedBytes);
  const hash = reader.u64("the checksum of a prior");
  if (reader.remainingBytes > 0 || hash !== found) {
    throw new CorruptError(bytes.length - CHECK_BYTES, "the checksum of a prior", hex(found), hex(hash));
  }
  if (contract !== MODEL_CONTRACT_USUAL) {
    throw new UnsupportedVersionError(contractAt, "model contract", contract, MODEL_CONTRACT_USUAL);
  }
  if (tallies.length > 0) checkTallies(tallies, contexts, talliesAt);
  const values = trained.length > 0 && { trained: decodeTrained(trained, contexts, trainedAt) };
  const known = { ...facts, hash, content: content.slice(), sizeBytes: bytes.length };
  return { ...known, ...(tallies.length > 0 && { tallies: tallies.slice() }), ...values };
}

/** Bytes that are no prior's file, as zstd takes them: their last ones are the content. */
export function rawPrior(bytes: Uint8Array): Prior {
  const content = bytes.subarray(Math.max(0, bytes.length - PRIOR_CONTENT_BYTES_MAX));
  const hash = host.xxHash64(bytes, 0n);
  return { hash, name: "", contexts: RAW_CONTEXTS, stride: 0, content, sizeBytes: bytes.length };
}

/**
 * An old file as what a patch begins with: all of it stands before the new bytes; a lane goes through its last ones.
 *
 * @param contexts of the mixer; of a patch that is restored, its header says which
 * @param contentBytesMax what a lane goes through, at most
 */
export function patchPrior(old: Uint8Array, contexts = RAW_CONTEXTS, contentBytesMax = PATCH_CONTENT_BYTES_MAX): Prior {
  // Contexts that look at places modulo four find them as they are in the file.
  const from = Math.max(0, old.length - contentBytesMax + 3) & ~3;
  const content = old.length > contentBytesMax ? old.subarray(from) : old;
  const hash = host.xxHash64(old, 0n);
  return { hash, name: "", contexts, stride: 0, content, sizeBytes: old.length, old };
}

function readLessons(reader: ByteReader, words: number): Uint32Array {
  return Uint32Array.from({ length: words }, () => reader.u32("which contexts learn what of a prior"));
}

function readName(reader: ByteReader): string {
  const at = reader.position;
  const bytes = reader.take("a name", reader.varintWithin("the length of a name", 0, NAME_BYTES_MAX));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new CorruptError(at, "the name of a prior", "UTF-8", "other bytes");
  }
}

const hex = (hash: bigint) => hash.toString(16).padStart(16, "0");
