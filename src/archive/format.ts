/**
 * The constants and nouns of the container, as docs/FORMAT.md describes it: an archive is one or more frames, a frame
 * is a header, blocks, an end mark and an index. This file says what they are; write.ts and read.ts are its two mirror
 * images.
 */
import { type HyperParameters, hasNetwork } from "../contract/hyper.ts";
import type { PriorReference } from "./prior-reference.ts";

/**
 * As in PNG, the magic breaks visibly under the usual damage: the high bit dies in seven-bit channels, and a lone LF
 * becomes CR LF. Four bytes, because a frame of a few bytes has few to spare.
 */
export const MAGIC = Uint8Array.of(0x89, 0x46, 0x44, 0x0a);
/** Versions 1 to 5: a byte with the version follows. */
export const MAGIC_OLD = Uint8Array.of(0x89, 0x46, 0x41, 0x44, 0x45, 0x0d, 0x0a, 0x0a);

/** Moves when the container changes so that an older program could not read it. */
export const FORMAT_VERSION = 9;

/** The first version with the short magic: the byte behind it holds how far the version is beyond this, and a form. */
export const FORMAT_VERSION_6 = 6;
/** Was never in a release: its models were others. */
export const FORMAT_VERSION_UNRELEASED = 7;
/** The first version with priors and with stretches of numbers. */
export const FORMAT_VERSION_8 = 8;
/** The first version in which lanes are reminded by a patch's copies. */
export const FORMAT_VERSION_9 = 9;
/** Where in that byte the version begins. */
export const FORM_VERSION_SHIFT = 5;
/** A bit of it: repeats are cut out of a small frame's bytes. */
export const FORM_CUT = 0x10;
/** The low four bits: a small frame that is stored, or coded with the model of level 1 to 9, or a pattern; */
export const FORM_STORED = 0;
export const FORM_LEVEL_MAX = 9;
export const FORM_PATTERN = 10;
/** or coded behind a prior, with the model that this gives (since version 8); */
export const FORM_PRIOR = 11;
/** or coded, with a model that is stated (since version 9); */
export const FORM_STATED = 12;
/** or a header with a body, blocks and an index. */
export const FORM_BLOCKS = 15;

/** Plain bytes of a small frame, at most: beyond that its 32-bit check would be little, and its saving nothing. */
export const SMALL_BYTES_MAX = 2 ** 16;
/** The same if its model is stated, for what becomes very small: all that stands behind its head, at most. */
export const STATED_BYTES_MAX = 2 ** 22;
export const STATED_BODY_BYTES_MAX = 2 ** 12;
/** In small frames of fewer bytes the model knows no stride, and the payload's length is a varint. */
export const SMALL_STRIDE_BYTES_MIN = 2 ** 14;
/** A longer small frame than any: a head, and a payload, with its copies, hardly longer than its plain bytes. */
export const SMALL_FRAME_BYTES_MAX = SMALL_BYTES_MAX + 2 ** 10;

/** Still read, never written: a frame whose header states no block size and that ends without an index. */
export const FORMAT_VERSION_1 = 1;
/** Still read, never written: each block has its length, a guard and a long entry in the index. */
export const FORMAT_VERSION_2 = 2;
/** Still read, never written: as version 4 without strides. What 1 to 3 hold of a model cannot be decoded any more. */
export const FORMAT_VERSION_3 = 3;
/** Still read, never written: as version 5 without mirrored copies. */
export const FORMAT_VERSION_4 = 4;
/** Still read, never written: as version 6 without small frames and fills, and with the long magic. */
export const FORMAT_VERSION_5 = 5;

/** The model of all archives before version 4: another arithmetic, which no program after fade 0.1 has. */
export const MODEL_CONTRACT_VERSION_1 = 1;

/** Header flag: the frame has a model, and its hyper-parameters follow. */
export const FLAG_MODEL = 0x01;
/** Header flag: the original length follows. Absent when the input was a pipe; version 1 always has it. */
export const FLAG_LENGTH = 0x02;

/** Header flag, since version 8: what the frame begins with follows. */
export const FLAG_PRIOR = 0x04;
/** Header flag, since version 8: that is old bytes, which stand before the plain bytes: copies reach into them. */
export const FLAG_PATCH = 0x08;

/** The end mark of versions 1 and 2; a reader that comes from behind tells the versions apart by it. */
export const BLOCK_END_OLD = 0;
const BLOCK_STORED = 1;
const BLOCK_CODED = 2;
/** Plain bytes that the model goes through as if they had been coded. */
const BLOCK_LEARNED = 3;
/** No block: the model, in a frame whose header has none because its first blocks are stored. */
const BLOCK_MODEL = 4;
export const BLOCK_END = 5;

/** Added to the kinds stored to learned: repeats are cut out, and the list of copies stands before the rest. */
export const BLOCK_CUT = 5;

/** No block: stretches of a repeated pattern, which stand between the bytes of the block behind them. */
export const BLOCK_FILLS = 10;
/** A list of fills has at most so many bytes. */
export const FILL_LIST_BYTES_MAX = 2 ** 20;
/** The pattern of a fill, and what it fills at least: shorter ones cost a reader more than they are worth. */
export const FILL_PATTERN_BYTES_MAX = 2 ** 12;
export const FILL_BYTES_MIN = 2 ** 12;
/** A fill is handed out, and hashed, in pieces of so many bytes. */
export const FILL_PIECE_BYTES = 2 ** 20;

/** Added to a block's stride: stretches of numbers are predicted, and a list says which. */
export const STRIDE_WITH_STRETCHES = 2 ** 12;
/** Added besides, since version 9: a mixer's lanes foresee pixels among them. */
export const STRIDE_WITH_FORESIGHT = 2 ** 13;
/** A list of stretches has at most so many bytes. */
export const STRETCH_LIST_BYTES_MAX = 2 ** 16;
/** And in a small frame, which is read whole from behind. */
export const SMALL_STRETCH_LIST_BYTES_MAX = 2 ** 8;

/** The high half of a block's first byte: how many full blocks of plain bytes it holds, in place of a length. */
export const PIECES_SHIFT = 4;
export const PIECES_MAX = 15;

/** Plain bytes that a block may hold. A decoder has one block in memory, so this bounds what an archive can ask for. */
export const BLOCK_BYTES_MAX = 2 ** 30;

/** How far before their block copies reach, at most; or twice the block size, if that is less. */
const WINDOW_BYTES_MAX = 2 ** 25;

/** @param blockBytes the frame's block size */
export const windowBytesOf = (blockBytes: number) => Math.min(WINDOW_BYTES_MAX, 2 * blockBytes);

/**
 * Stored blocks may be longer than the frame's block size, up to this: a run of bytes that nothing can shrink shares
 * one head, which keeps its growth to a few bytes. A decoder verifies a block before it lets go of it, so a run takes
 * memory; 64 MiB is about what the other parts of the program take.
 */
export const STORED_RUN_BYTES_MAX = 2 ** 26;

/** The end of an index: its length and its guard, from which a reader of a file finds the rest. */
export const TRAILER_BYTES = 8;
/** 2^30 bytes of entries speak of some 10^8 blocks. */
export const INDEX_BYTES_MAX = 2 ** 30;

/** No fade writes more coder groups of a network than 16; the format leaves room for machines with more cores. */
const NETWORK_GROUPS_MAX = 256;

/** Coder groups that a model may have, at most: each lane of a mixer is one. */
export function groupsMaxOf(hyper: HyperParameters): number {
  return hasNetwork(hyper) ? Math.min(NETWORK_GROUPS_MAX, hyper.streams) : hyper.streams;
}

/** A longer header body than any: flags, two sizes of at most eight bytes, and 15 varints of at most five. */
export const HEADER_BODY_BYTES_MAX = 128;

/**
 * A coded byte costs at least log2(2^22 / (2^22 - 255)) = 1/11,402 bit, which is 91,216 plain bytes per payload byte;
 * a range coder may end up to this many bytes short of that, because it leaves out trailing zeros. A block that
 * claims more than that cannot have been written by fade, so it is refused before anything is allocated.
 */
export const PLAIN_BYTES_PER_PAYLOAD_BYTE_MAX = 100_000;
export const PAYLOAD_SLACK_BYTES_PER_GROUP = 8;
/** A coded block's payload is at most this much longer than its plain bytes, plus the slack of its groups. */
export const PAYLOAD_SLACK_BYTES = 64;

/** What the coded blocks of a frame share. */
export interface FrameModel {
  readonly hyper: HyperParameters;
  /** G: the streams are divided among this many range coders. */
  readonly groupCount: number;
}

export interface FrameHeader {
  /** 8, or less in frames that an old fade wrote. */
  readonly version: number;
  /** Absent when every block of the frame is stored, or the first ones are and the model comes behind them. */
  readonly model?: FrameModel;
  /** What the frame's model begins with; a small frame's model follows from it, and is absent. */
  readonly prior?: PriorReference;
  /** Whether copies reach into the prior's bytes, which stand before the frame's. */
  readonly isPatch?: boolean;
  /** Plain bytes in the whole frame; absent if the writer did not know. */
  readonly plainBytes?: number;
  /** No block but stored ones holds more plain bytes; 0 only in an empty frame. */
  readonly blockBytes: number;
  /** Small frames only: their check has 32 bits, and the header says all of the block, if there is one. */
  readonly small?: SmallFacts & { readonly head?: BlockHead };
}

/** From which, with the payload, follows the check of a small frame's plain bytes. */
export interface SmallFacts {
  /** The check of the frame's head. */
  readonly seal: bigint;
  /** The frame's check, as it stands there. */
  readonly covered: bigint;
}

/** What comes before a block's payload. */
export interface BlockHead {
  readonly kind: BlockKind;
  /** Without what fills give. */
  readonly plainBytes: number;
  readonly check: bigint;
  /** Only of blocks with copies: what is left of the plain bytes, and the length of the list, which comes first. */
  readonly cut?: { readonly restBytes: number; readonly listBytes: number };
  /** Only of coded and learned blocks that state one. */
  readonly stride?: number;
  /** Only of blocks with stretches of numbers: the length of the list of them, behind that of copies. */
  readonly stretchBytes?: number;
  /** Only of blocks with stretches of pixels that the lanes foresee. */
  readonly isForeseen?: boolean;
  /** Only of blocks with fills, which stood before. */
  readonly fills?: readonly Fill[];
  /** The parts of the payload: one, or one per coder group. */
  readonly lengths: readonly number[];
}

/** A stretch of a repeated pattern. */
export interface Fill {
  /** Bytes of the block between the fill before, or the block's beginning, and this one. */
  readonly gapBytes: number;
  readonly lengthBytes: number;
  /** Repeated from its first byte on; the last one may be cut. */
  readonly pattern: Uint8Array;
}

/** How a block comes back whose repeats were cut out; its payload is then the rest. */
export interface BlockCopies {
  /** Plain bytes without those that copies give. */
  readonly restBytes: number;
  /** The coded list of copies (src/repeats/copies.ts). */
  readonly list: Uint8Array;
}

interface BlockFacts {
  /** Without what fills give. */
  readonly plainBytes: number;
  readonly copies?: BlockCopies;
  /** What stands between the plain bytes; absent if nothing. */
  readonly fills?: readonly Fill[];
  /** What the model is told of the bytes that it sees (DataKind); absent if nothing, or if it sees none. */
  readonly stride?: number;
  /**
   * The coded list (src/predict/list.ts) of stretches that the model sees in another form, if there are any. Then the
   * payload of a learned block is what the model sees.
   */
  readonly stretches?: Uint8Array;
  /** Whether the lanes of a mixer foresee pixels among the stretches. */
  readonly isForeseen?: boolean;
  /**
   * xxHash64 of the block's plain bytes, seeded with the check of the block before (0 for the first). Of a run, each
   * piece of the frame's block size is hashed for itself and seeds the next; of a block with fills, each piece that
   * `piecesOf` (fills.ts) gives. In a small frame, the low 32 bits.
   */
  readonly check: bigint;
}

/** Plain bytes as they are: unknown to the model if stored, and if learned, the model goes through them. */
export interface PlainBlock extends BlockFacts {
  readonly kind: "stored" | "learned";
  readonly payload: Uint8Array;
}

/** One range-coder stream per group, in the order of the groups. */
export interface CodedBlock extends BlockFacts {
  readonly kind: "coded";
  readonly groups: readonly Uint8Array[];
}

export type Block = PlainBlock | CodedBlock;
export type BlockKind = Block["kind"];

export const BLOCK_TAGS: Readonly<Record<IndexEntry["kind"], number>> = {
  stored: BLOCK_STORED,
  coded: BLOCK_CODED,
  learned: BLOCK_LEARNED,
  model: BLOCK_MODEL,
  fills: BLOCK_FILLS,
};

/** What stands where a block could, and says how the coded and learned blocks behind it are to be read. */
export interface ModelRecord {
  readonly kind: "model";
  readonly model: FrameModel;
}

/** What the index says of a block, or of the model or the fills between the blocks. */
export interface IndexEntry {
  readonly kind: BlockKind | "model" | "fills";
  /** Whether copies are cut out of the block. */
  readonly isCut?: boolean;
  readonly plainBytes: number;
  /** Bytes of the archive that the block takes, its head and its guard among them. */
  readonly codedBytes: number;
}
