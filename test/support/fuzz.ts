/**
 * Throws damaged archives at the decoder. Damage of two kinds: blind (bits, bytes, splices), which the guards must
 * catch, and knowing (fields altered, parts swapped and joined, with all guards made right again), which shows what
 * lies behind the guards. Whatever comes, the decoder must end soon, either with one of the errors that it declares or
 * with bytes that somebody compressed.
 */
import { ByteWriter } from "../../src/archive/bytes.ts";
import { CHECK_START, guardOf } from "../../src/archive/checksum.ts";
import { ArchiveError } from "../../src/archive/errors.ts";
import { chainPieces, fillBytesOf, fillRecordBytes, piecesOf } from "../../src/archive/fills.ts";
import type { Block, BlockHead } from "../../src/archive/format.ts";
import { ArchiveReader, pullFrom } from "../../src/archive/stream.ts";
import { encodeFrame } from "../../src/archive/write.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { sourceOf } from "../../src/pipeline/frames.ts";
import { MemoryLimitError, modelMemoryBytes } from "../../src/pipeline/memory.ts";
import { tinyHyper } from "./fake-engine.ts";
import { letters, otherStrand } from "./genome.ts";
import { Random } from "./gpu-values.ts";
import { archiveOf, plainOf, readArchive } from "./in-memory.ts";
import { fileOf, lookThrough } from "./listing.ts";

/** Decoding one damaged archive may take this long, on a machine that does other things, too. */
const PATIENCE_MS = 20_000;
/** Fills may rightly claim more bytes than anybody waits for: then the decoder must stop when it is told to. */
const FILL_PATIENCE_MS = 300;
/** Fewer are made at once. */
const FILLED_BYTES_MIN = 2 ** 24;

export interface FuzzOptions {
  readonly engine: Engine;
  readonly inputs: number;
  readonly seed: number;
  /** What a decoder may use; engines must not be asked for larger models. */
  readonly memoryBytesMax: number;
  /** Bytes of the blocks of the archives that get damaged. */
  readonly blockBytes: number;
  /** The model for so many streams; default: a tiny network. */
  readonly hyperFor?: (streams: number) => HyperParameters;
}

interface FuzzReport {
  readonly inputs: number;
  /** Damaged in a way that does not matter, such as frames that were joined. */
  readonly accepted: number;
  readonly refusedBy: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** The largest model that an engine was asked for. */
  readonly largestModelBytes: number;
}

/** An archive in parts (headers, models, blocks, ends), each of which closes with a guard of four bytes if need be. */
type Parts = readonly Part[];

interface Part {
  readonly bytes: Uint8Array;
  /** Stored blocks without copies have their check alone. */
  readonly isGuarded: boolean;
}

interface Corpus {
  readonly archives: readonly Parts[];
  /** All that a sound frame may hold: the first blocks of a plain text, as many as one likes. */
  readonly prefixes: readonly Uint8Array[];
}

/** @throws Error that says with which seed and input a rule was broken, and shows the archive */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, inputs, engine, memoryBytesMax } = options;
  const corpus = await makeCorpus(options);
  const random = new Random(seed);
  const refusedBy: Record<string, number> = {};
  const watched = new WatchedEngine(engine, memoryBytesMax);
  let accepted = 0;
  let slowestMs = 0;
  for (let input = 0; input < inputs; input += 1) {
    const archive = damage(corpus, random);
    const startMs = performance.now();
    const outcome = await decode(archive, watched, memoryBytesMax, random.between(1, archive.length + 1));
    const tookMs = performance.now() - startMs;
    slowestMs = Math.max(slowestMs, tookMs);
    const listed = await lookThrough(fileOf(archive)).catch((thrown: unknown) => thrown);
    const isListed = listed === undefined || isDeclared(listed);
    const broken = !isListed
      ? `could not be listed: ${listed instanceof Error ? listed.stack : String(listed)}`
      : outcome instanceof Uint8Array
        ? !isMadeOf(outcome, corpus.prefixes) && "was accepted with wrong bytes"
        : !isDeclared(outcome) && `failed with ${outcome instanceof Error ? outcome.stack : String(outcome)}`;
    const fault = broken || (tookMs > PATIENCE_MS && `took ${tookMs} ms`);
    if (fault) throw new Error(`seed ${seed}, input ${input} ${fault}: ${Buffer.from(archive).toString("hex")}`);
    if (outcome instanceof Uint8Array) accepted += 1;
    else refusedBy[(outcome as Error).name] = (refusedBy[(outcome as Error).name] ?? 0) + 1;
  }
  return { inputs, accepted, refusedBy, slowestMs, largestModelBytes: watched.largestModelBytes };
}

const isDeclared = (error: unknown) =>
  error instanceof ArchiveError || error instanceof MemoryLimitError || error instanceof TooLongError;

class TooLongError extends Error {
  override readonly name = "TooLongError";
}

/** Bytes that fills would give, up to where the archive is at fault: a few bytes of it may claim terabytes. */
async function filledBytes(archive: Uint8Array): Promise<number> {
  let bytes = 0;
  const admit = ({ fills }: BlockHead) => {
    bytes += fillBytesOf(fills);
  };
  const reader = new ArchiveReader(pullFrom(archive), { admit, checks: false });
  try {
    while (await reader.next());
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
  }
  return bytes;
}

async function decode(
  archive: Uint8Array,
  engine: Engine,
  memoryBytesMax: number,
  pieceBytes: number,
): Promise<unknown> {
  const abort = new AbortController();
  const isLong = (await filledBytes(archive)) > FILLED_BYTES_MIN;
  const timer = isLong && setTimeout(() => abort.abort(new TooLongError()), FILL_PATIENCE_MS);
  try {
    return await plainOf(archive, { memoryBytesMax, signal: abort.signal }, engine, pieceBytes);
  } catch (error) {
    return error;
  } finally {
    if (timer) clearTimeout(timer);
  }
}

/** Refuses to open what the memory limit should have kept away from it. */
class WatchedEngine implements Engine {
  largestModelBytes = 0;

  constructor(
    readonly engine: Engine,
    readonly memoryBytesMax: number,
  ) {}

  get name() {
    return this.engine.name;
  }

  get description() {
    return this.engine.description;
  }

  async openModel(hyper: HyperParameters) {
    const bytes = modelMemoryBytes(hyper);
    this.largestModelBytes = Math.max(this.largestModelBytes, bytes);
    if (bytes > this.memoryBytesMax) throw new Error(`a model of ${bytes} bytes was let through`);
    return await this.engine.openModel(hyper);
  }

  async close(): Promise<void> {}
}

/** Archives of all kinds of blocks: stored, coded, learned, with copies, with fills, several, of unknown length. */
async function makeCorpus({ engine, blockBytes, hyperFor: modelFor = tinyHyper }: FuzzOptions): Promise<Corpus> {
  const random = new Random(7);
  const soft = (count: number) => Uint8Array.from({ length: count }, (_, i) => 97 + ((i * i + (i >> 4)) % 5));
  const hard = (count: number) => Uint8Array.from({ length: count }, () => random.between(0, 255));
  const mixed = Buffer.concat([soft(blockBytes), hard(blockBytes), soft(blockBytes), hard(9)]);
  const again = hard(blockBytes - 60);
  const known = Buffer.concat([again, soft(60), again, soft(60), again.subarray(40), hard(9), soft(2 * blockBytes)]);
  const strand = letters(random, blockBytes);
  const strands = Buffer.concat([strand, otherStrand(strand.subarray(20)), letters(random, 40), otherStrand(strand)]);
  const plains: readonly [Uint8Array, number, boolean, number?][] = [
    [soft(0), 1, true],
    [soft(20), 1, true],
    [new Uint8Array(Buffer.alloc(100, "abc")), 1, true],
    [hard(blockBytes), 2, true],
    [soft(blockBytes), 4, true],
    [soft(blockBytes * 3), 5, true],
    [mixed, 3, false],
    [mixed, 4, true],
    [Buffer.concat([hard(blockBytes), soft(blockBytes * 2)]), 4, false],
    [hard(blockBytes * 5 - 7), 2, true],
    [Buffer.concat([hard(blockBytes * 4), soft(blockBytes * 2)]), 4, true],
    [soft(blockBytes * 2), 4, true, 12],
    [known, 3, true, 16],
    [known, 2, false, 30],
    [strands, 3, true, 12],
    [strands, 2, false, 20],
  ];
  const filled = await filledFrames(hard(90));
  const archives: Parts[] = [];
  const prefixes: Uint8Array[] = [];
  for (const { archive, plain } of filled) {
    archives.push(await partsOf(archive));
    prefixes.push(plain);
  }
  for (const [plain, streams, isSizeKnown, minLength] of plains) {
    const hyperFor = () => modelFor(streams);
    const repeats = minLength === undefined ? {} : { repeats: { timeUnits: 0, minLength } };
    const archive = await archiveOf(sourceOf(plain, isSizeKnown), { blockBytes, hyperFor, ...repeats }, engine);
    archives.push(await partsOf(archive));
    let end = 0;
    for (const block of (await readArchive(archive))[0]?.blocks ?? []) {
      end += block.plainBytes + fillBytesOf(block.fills);
      prefixes.push(plain.slice(0, end));
    }
  }
  return { archives, prefixes };
}

/** Frames with fills between stored bytes, and of fills alone; length known and not. */
async function filledFrames(data: Uint8Array): Promise<{ archive: Uint8Array; plain: Uint8Array }[]> {
  const zeros = { gapBytes: 0, lengthBytes: 5000, pattern: Uint8Array.of(0) };
  const letters = { gapBytes: 7, lengthBytes: 4100, pattern: Uint8Array.of(97, 98) };
  const cases = [data, new Uint8Array(0)].map((bytes) => ({
    bytes,
    fills: bytes.length > 0 ? [letters, zeros] : [zeros],
  }));
  const frames: { archive: Uint8Array; plain: Uint8Array }[] = [];
  for (const { bytes, fills } of cases) {
    const check = await chainPieces(bytes, fills, CHECK_START, async () => {});
    const plain = new Uint8Array(Buffer.concat([...piecesOf(bytes, fills)].map((piece) => piece.slice())));
    const block: Block = { kind: "stored", plainBytes: bytes.length, check, fills, payload: bytes };
    for (const size of [{}, { plainBytes: plain.length }]) {
      frames.push({ archive: encodeFrame({ blockBytes: plain.length, ...size }, [block]), plain });
    }
  }
  return frames;
}

async function partsOf(archive: Uint8Array): Promise<Part[]> {
  const reader = new ArchiveReader(pullFrom(archive));
  const parts: Part[] = [];
  for (let part = await reader.next(); part; part = await reader.next()) {
    const isSmall = part.kind === "header" ? part.header.small !== undefined : archive[part.offsetBytes] === undefined;
    const isBlock = part.kind === "block" && part.block.kind === "stored" && part.block.copies === undefined;
    const isGuarded = !isSmall && !isBlock;
    let start = part.offsetBytes;
    if (part.kind === "block" && part.block.fills) {
      start += fillRecordBytes(part.block.fills);
      parts.push({ bytes: archive.slice(part.offsetBytes, start), isGuarded: true });
    }
    parts.push({ bytes: archive.slice(start, reader.position), isGuarded });
  }
  return parts;
}

const join = (parts: Parts) => new Uint8Array(Buffer.concat(parts.map(({ bytes }) => bytes)));

/** Whether `bytes` can be cut into prefixes. */
function isMadeOf(bytes: Uint8Array, prefixes: readonly Uint8Array[]): boolean {
  const reached = new Set([0]);
  for (const start of reached) {
    for (const prefix of prefixes) {
      if (Buffer.compare(bytes.subarray(start, start + prefix.length), prefix) === 0)
        reached.add(start + prefix.length);
    }
  }
  return reached.has(bytes.length);
}

function damage(corpus: Corpus, random: Random): Uint8Array {
  let parts = [...pick(corpus.archives, random)];
  const rounds = random.between(1, 3);
  const isKnowing = random.between(0, 1) === 1;
  for (let round = 0; round < rounds; round += 1) {
    if (isKnowing) parts = damageKnowing(parts, corpus, random);
  }
  if (isKnowing) return join(parts);
  let bytes: Uint8Array = join(parts);
  for (let round = 0; round < rounds; round += 1) bytes = damageBlind(bytes, corpus, random);
  return bytes;
}

/** Alters a part and its guard, or moves whole parts. */
function damageKnowing(parts: Part[], corpus: Corpus, random: Random): Part[] {
  const at = random.between(0, Math.max(0, parts.length - 1));
  const other = pick(corpus.archives, random);
  const { bytes, isGuarded } = parts[at] ?? { bytes: new Uint8Array(4), isGuarded: true };
  const body = isGuarded ? bytes.subarray(0, Math.max(0, bytes.length - 4)) : bytes;
  switch (random.between(0, 6)) {
    case 0:
      return parts.toSpliced(at, 1);
    case 1:
      return parts.toSpliced(at, 0, pick(other, random));
    case 2:
      return parts.toSpliced(at, 1, pick(other, random));
    case 3:
      return [...parts, ...other];
    default: {
      const damaged = damageBlind(body, corpus, random);
      return parts.toSpliced(at, 1, { bytes: isGuarded ? withGuard(damaged) : damaged, isGuarded });
    }
  }
}

function withGuard(body: Uint8Array): Uint8Array {
  return new ByteWriter().raw(body).u32(guardOf(body)).finish();
}

/** Numbers at the edges of what fields hold, as varints. */
const EDGES = [0, 1, 2, 127, 128, 2 ** 14, 2 ** 20, 2 ** 24, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 53 - 1].map((value) =>
  new ByteWriter().varint(value).finish(),
);

function damageBlind(bytes: Uint8Array, corpus: Corpus, random: Random): Uint8Array {
  // Half of the damage goes to the first bytes, where the fields are.
  const span = random.between(0, 1) === 0 ? Math.min(bytes.length, 40) : bytes.length;
  const at = random.between(0, Math.max(0, span - 1));
  const put = (drop: number, insert: Uint8Array) =>
    new Uint8Array(Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + drop)]));
  switch (random.between(0, 6)) {
    case 0:
      return put(1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << random.between(0, 7))));
    case 1:
      return put(1, Uint8Array.of(random.between(0, 255)));
    case 2:
      return bytes.slice(0, at);
    case 3:
      return put(random.between(1, 16), new Uint8Array(0));
    case 4:
      return put(random.between(0, 3), pick(EDGES, random));
    case 5:
      return put(
        0,
        Uint8Array.from({ length: random.between(1, 16) }, () => random.between(0, 255)),
      );
    default: {
      const other = join(pick(corpus.archives, random));
      const from = random.between(0, other.length - 1);
      return put(random.between(0, 32), other.subarray(from, from + random.between(1, 64)));
    }
  }
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[random.between(0, items.length - 1)] as T;
}
