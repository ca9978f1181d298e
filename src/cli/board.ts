/**
 * What the two threads of the program share. The program proper runs in a worker (program.ts), which may compute for
 * minutes, or wait in a driver or for a disk, without looking up; the main thread only waits for it, so that it answers
 * a signal at once, whatever the program does. For that it must know what has to go when the program ends.
 *
 * Nothing may be torn: a file that is about to be made, or a name that is about to be given, is waited for; and once
 * the main thread has decided to end, the program makes no more of them.
 */

/** Words of the shared memory; the text behind them is the list of leftovers, as JSON. */
const Word = { STATE: 0, COLUMNS: 1, TEXT_BYTES: 2, COUNT: 3 } as const;
const TEXT_START = Word.COUNT * Int32Array.BYTES_PER_ELEMENT;
/** Paths have up to 4 kB; there are two or three of them at a time. */
const TEXT_BYTES_MAX = 1 << 16;

/** What the program does. */
const State = {
  RUNNING: 0,
  /** Something that must not be torn. */
  BUSY: 1,
  /** Told to end. */
  ENDING: 2,
} as const;

/** How long a signal waits for what must not be torn: a file system that hangs must not keep the program alive. */
const PATIENCE_MS = 500;

interface Leftovers {
  /** Files and folders to delete. */
  readonly files: readonly string[];
  /** Process ids of other programs that run on behalf of this one. */
  readonly programs: readonly number[];
}

const NOTHING: Leftovers = { files: [], programs: [] };

/** The main thread's end. */
export class MainBoard {
  /** For the program's end. */
  readonly memory = new SharedArrayBuffer(TEXT_START + TEXT_BYTES_MAX);
  readonly #words = new Int32Array(this.memory, 0, Word.COUNT);

  /** Characters in a line of the terminal, which a worker cannot ask for. */
  set columns(count: number) {
    Atomics.store(this.#words, Word.COLUMNS, count);
  }

  /** Forbids the program to begin anything that must not be torn, and tells what it leaves behind. */
  end(): Leftovers {
    const untilMs = performance.now() + PATIENCE_MS;
    while (Atomics.compareExchange(this.#words, Word.STATE, State.RUNNING, State.ENDING) === State.BUSY) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) Atomics.store(this.#words, Word.STATE, State.ENDING);
      else Atomics.wait(this.#words, Word.STATE, State.BUSY, leftMs);
    }
    const length = Atomics.load(this.#words, Word.TEXT_BYTES);
    if (length === 0) return NOTHING;
    // A copy: a decoder takes no shared memory.
    return JSON.parse(new TextDecoder().decode(new Uint8Array(this.memory, TEXT_START, length).slice()));
  }
}

/** A set that tells when it changes. */
class WatchedSet<T> extends Set<T> {
  onChange: () => void = () => {};

  override add(value: T): this {
    super.add(value);
    this.onChange();
    return this;
  }

  override delete(value: T): boolean {
    const isDeleted = super.delete(value);
    this.onChange();
    return isDeleted;
  }
}

/** The program's end. */
export class ProgramBoard {
  readonly #words: Int32Array;
  readonly #text: Uint8Array;
  /** How many callers are in something that must not be torn. */
  #busy = 0;
  #programs: readonly number[] = [];
  readonly #files = new WatchedSet<string>();

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, Word.COUNT);
    this.#text = new Uint8Array(memory, TEXT_START);
    this.#files.onChange = () => this.#publish();
  }

  /** Files and folders to delete if a signal ends the program. */
  get temporaryFiles(): Set<string> {
    return this.#files;
  }

  /** Process ids of programs to kill if a signal ends this one. */
  set programs(ids: readonly number[]) {
    this.#programs = ids;
    this.#publish();
  }

  /** 0 if nobody knows. */
  get columns(): number {
    return Atomics.load(this.#words, Word.COLUMNS);
  }

  /** A signal has come: the main thread has the last word. */
  get isEnding(): boolean {
    return Atomics.load(this.#words, Word.STATE) === State.ENDING;
  }

  /** Does `work` in which no signal ends the program, unless it takes long. */
  async uninterrupted<T>(work: () => Promise<T>): Promise<T> {
    this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** The same for what does not wait. */
  uninterruptedNow<T>(work: () => T): T {
    this.#enter();
    try {
      return work();
    } finally {
      this.#leave();
    }
  }

  /** Never returns once the program is told to end. */
  #enter(): void {
    this.#busy += 1;
    if (this.#busy > 1) return;
    const before = Atomics.compareExchange(this.#words, Word.STATE, State.RUNNING, State.BUSY);
    while (before === State.ENDING) Atomics.wait(this.#words, Word.STATE, State.ENDING);
  }

  #leave(): void {
    this.#busy -= 1;
    if (this.#busy > 0) return;
    Atomics.compareExchange(this.#words, Word.STATE, State.BUSY, State.RUNNING);
    Atomics.notify(this.#words, Word.STATE);
  }

  #publish(): void {
    const leftovers: Leftovers = { files: [...this.#files], programs: this.#programs };
    const text = new TextEncoder().encode(JSON.stringify(leftovers));
    if (text.length > this.#text.length) throw new RangeError(`${this.#files.size} temporary files are too many`);
    this.#enter();
    this.#text.set(text);
    Atomics.store(this.#words, Word.TEXT_BYTES, text.length);
    this.#leave();
  }
}
