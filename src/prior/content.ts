/**
 * Which pieces of samples are worth carrying along: those whose strings recur in most other samples. Strings of a few
 * bytes are counted by the samples that have them; then the piece whose strings count most is taken, its strings count
 * no more, and so on until the room is full. The most useful piece comes last, where matches look first and histories
 * are freshest. COVER (Liao, Petri, Moffat and Wirth 2016) showed that this does for dictionaries.
 */

/** Bytes of the strings whose recurrence is counted. */
const STRING_BYTES = 8;
/** Pieces begin at every so many-th part of their length. */
const STARTS = 4;
const TABLE_BITS_MAX = 22;
const TABLE_BITS_MIN = 12;
const HASH = 0x9e3779b1;
/** What a byte of a string moves its hash by: a power of an odd number. */
const STEP = 0x2c1b3c6d;

/** Slots of the strings of a sample, by where they begin; slots may be shared. */
function slotsOf(bytes: Uint8Array, bits: number): Uint32Array {
  const count = Math.max(0, bytes.length - STRING_BYTES + 1);
  const slots = new Uint32Array(count);
  let leaving = 1;
  for (let i = 0; i < STRING_BYTES; i++) leaving = Math.imul(leaving, STEP);
  let hash = 0;
  for (let i = 0; i < bytes.length; i++) {
    hash = (Math.imul(hash, STEP) + (bytes[i] as number) + 1) | 0;
    if (i >= STRING_BYTES) hash = (hash - Math.imul((bytes[i - STRING_BYTES] as number) + 1, leaving)) | 0;
    if (i >= STRING_BYTES - 1) slots[i - STRING_BYTES + 1] = Math.imul(hash ^ (hash >>> 15), HASH) >>> (32 - bits);
  }
  return slots;
}

/** In how many samples each slot has a string. */
function countSlots(slots: readonly Uint32Array[], bits: number): Uint32Array {
  const counts = new Uint32Array(1 << bits);
  const lastSeen = new Uint32Array(1 << bits);
  for (const [s, of] of slots.entries()) {
    for (const slot of of) {
      if (lastSeen[slot] === s + 1) continue;
      lastSeen[slot] = s + 1;
      counts[slot] = (counts[slot] as number) + 1;
    }
  }
  return counts;
}

interface Piece {
  readonly sample: number;
  readonly from: number;
  readonly to: number;
  /** What it is worth: exact if `round` is the present one, else at least this. */
  worth: number;
  round: number;
}

/** Pieces by worth, the best one first. */
class Heap {
  readonly #pieces: Piece[];

  constructor(pieces: Piece[]) {
    this.#pieces = pieces.sort((a, b) => b.worth - a.worth);
  }

  get best(): Piece | undefined {
    return this.#pieces[0];
  }

  /** The best one has become worth less. */
  sink(): void {
    const pieces = this.#pieces;
    let i = 0;
    for (;;) {
      let most = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if ((pieces[child]?.worth ?? -1) > (pieces[most] as Piece).worth) most = child;
      }
      if (most === i) return;
      [pieces[i], pieces[most]] = [pieces[most] as Piece, pieces[i] as Piece];
      i = most;
    }
  }
}

function piecesOf(samples: readonly Uint8Array[], pieceBytes: number): Piece[] {
  const step = Math.max(1, Math.floor(pieceBytes / STARTS));
  return samples.flatMap(({ length }, sample) => {
    const pieces: Piece[] = [];
    for (let from = 0; from < length; from += step) {
      const to = Math.min(length, from + pieceBytes);
      if (to - from >= STRING_BYTES) pieces.push({ sample, from, to, worth: Number.POSITIVE_INFINITY, round: -1 });
      if (to === length) break;
    }
    return pieces;
  });
}

/** Bytes of samples that are taken together, as they lie in a sample. */
type Span = Omit<Piece, "round">;

/** Pieces of one sample that touch or overlap become one, worth what the best of them is. */
function merged(taken: readonly Span[]): Span[] {
  const spans: Span[] = [];
  for (const piece of taken.toSorted((a, b) => a.sample - b.sample || a.from - b.from)) {
    const last = spans.at(-1);
    if (last?.sample !== piece.sample || piece.from > last.to) spans.push({ ...piece });
    else
      spans[spans.length - 1] = { ...last, to: Math.max(last.to, piece.to), worth: Math.max(last.worth, piece.worth) };
  }
  return spans;
}

/**
 * Chooses content from samples.
 *
 * @param roomBytes that it may take
 * @param pieceBytes what is taken at a time
 * @returns at most `roomBytes` bytes; fewer if no more of them recur
 */
export function chooseContent(samples: readonly Uint8Array[], roomBytes: number, pieceBytes: number): Uint8Array {
  const totalBytes = samples.reduce((sum, { length }) => sum + length, 0);
  const bits = Math.min(TABLE_BITS_MAX, Math.max(TABLE_BITS_MIN, 34 - Math.clz32(totalBytes)));
  const slots = samples.map((bytes) => slotsOf(bytes, bits));
  const counts = countSlots(slots, bits);
  const marks = new Uint32Array(1 << bits);
  let mark = 0;
  const worthOf = ({ sample, from, to }: Piece) => {
    mark += 1;
    let worth = 0;
    for (const slot of (slots[sample] as Uint32Array).subarray(from, to - STRING_BYTES + 1)) {
      if (marks[slot] === mark) continue;
      marks[slot] = mark;
      worth += Math.max(0, (counts[slot] as number) - 1);
    }
    return worth;
  };
  const heap = new Heap(piecesOf(samples, pieceBytes));
  const taken: Span[] = [];
  let takenBytes = 0;
  for (let round = 0; heap.best && heap.best.worth > 0; ) {
    const piece = heap.best;
    if (piece.round !== round) {
      piece.worth = worthOf(piece);
      piece.round = round;
      heap.sink();
      continue;
    }
    if (takenBytes + piece.to - piece.from > roomBytes) break;
    taken.push({ ...piece });
    takenBytes += piece.to - piece.from;
    for (const slot of (slots[piece.sample] as Uint32Array).subarray(piece.from, piece.to - STRING_BYTES + 1)) {
      counts[slot] = 0;
    }
    round += 1;
  }
  return laidOut(samples, merged(taken));
}

function laidOut(samples: readonly Uint8Array[], spans: readonly Span[]): Uint8Array {
  const ordered = spans.toSorted((a, b) => a.worth - b.worth || a.sample - b.sample || a.from - b.from);
  const content = new Uint8Array(ordered.reduce((sum, { from, to }) => sum + to - from, 0));
  let at = 0;
  for (const { sample, from, to } of ordered) {
    content.set((samples[sample] as Uint8Array).subarray(from, to), at);
    at += to - from;
  }
  return content;
}
