/**
 * What the commands of one run share: settings, the world, the engines (opened at most once, when first needed) and
 * the way in which they speak to people.
 */
import { type Engine, EngineDeviceError, EngineUnavailableError } from "../engine/engine.ts";
import type { EngineRequest } from "../engine/registry.ts";
import { Engines } from "../library/engines.ts";
import { PROGRAM_BYTES } from "../library/work.ts";
import type { ModelWork } from "../pipeline/frames.ts";
import { MemoryLimitError } from "../pipeline/memory.ts";
import type { Prior } from "../prior/file.ts";
import { containerBytes } from "./container.ts";
import { blameName, type Complaint, complaintOf, EXIT, type ExitCode, FileError } from "./errors.ts";
import { keysOf, placesOf } from "./file-keys.ts";
import type { Io } from "./io.ts";
import { ProgressLine, redraws } from "./progress.ts";
import { SAYS, type Settings } from "./settings.ts";
import { visible } from "./visible.ts";
import { sizeText } from "./words.ts";

/** Where engines come from; tests put their own here. */
export type OpenEngine = (request: EngineRequest) => Promise<Engine>;

/**
 * With less address space the runtime cannot place its compiled code, and interprets: measured, 2.3 GB are a hundred
 * times slower than 2.4 GB. What is stored needs no engine and decodes within 1 GB.
 */
const ADDRESS_SPACE_MIN = 2_400_000 * 1024;

class ClaimedError extends FileError {
  constructor(name: string) {
    super("is the output of another input, too", "compress them one by one, with -o", name);
    this.name = "ClaimedError";
  }
}

export class Session {
  readonly #engines: Engines;
  #exitCodes: ExitCode[] = [];
  #hint: string | undefined;
  readonly #claimed = new Set<string>();
  /** Outputs that are inputs of this run, too: never overwritten. */
  readonly inputPaths = new Set<string>();
  /** What -D and --patch-from have named. */
  readonly priors: Prior[] = [];
  /** What identifies their files. */
  readonly priorKeys = new Set<string>();
  /** "2/5 " while the second of five files is worked on. */
  place = "";
  /** Of the file that was begun last. */
  #line: ProgressLine | undefined;

  constructor(
    readonly io: Io,
    readonly settings: Settings,
    readonly openEngine: OpenEngine,
  ) {
    const { engine, adapter, threads } = settings;
    const request = { engine, threads, ...(adapter !== undefined && { adapter }) };
    this.#engines = new Engines(
      request,
      (each) => this.#open(each),
      (opened) => this.#tellOfEngine(opened),
    );
  }

  /** The engine for some work. A function of its own, to be passed on. */
  readonly engine = (work: ModelWork): Promise<Engine> => this.#engines.for(work);

  async #open(request: EngineRequest): Promise<Engine> {
    const { addressSpace } = this.io;
    if (addressSpace && addressSpace.limitBytes < ADDRESS_SPACE_MIN) {
      const [has, needs] = [sizeText(addressSpace.limitBytes), sizeText(ADDRESS_SPACE_MIN)];
      const hint = `raise it (ulimit -${addressSpace.letter} unlimited); -M limits what fade really uses`;
      const what = `the address space is limited to ${has}, and no engine runs in less than ${needs}`;
      throw new EngineUnavailableError(request.engine === "auto" ? "cpu" : request.engine, what, hint);
    }
    return await this.openEngine(request);
  }

  #tellOfEngine({ name, description }: Engine): void {
    this.say(SAYS.details, `fade: engine ${name}: ${description}`);
    if (this.settings.engine === "auto" && name === "reference") {
      this.say(SAYS.results, "fade: no faster engine here: using the reference, some hundred bytes a second");
    }
  }

  /** At once, before another file is worked on: a device that was lost does not come back. */
  abandonLostEngine(error: unknown): void {
    if (error instanceof EngineDeviceError) this.#engines.abandon();
  }

  /** Frees the engines that were opened. */
  async close(): Promise<void> {
    await this.#engines.close();
  }

  say(level: number, line: string): void {
    if (this.settings.verbosity < level) return;
    // An earlier file may have reached the disk while this one is worked on.
    this.#line?.giveWay();
    this.io.stderr.write(`${visible(line)}\n`);
  }

  /** @param totalBytes undefined if nobody knows */
  progress(label: string, totalBytes: number | undefined): ProgressLine {
    const wanted = this.settings.progress ?? redraws(this.io.stderr);
    const isShown = wanted && this.settings.verbosity >= SAYS.results;
    this.#line = new ProgressLine(this.io, visible(`${this.place}${label}`), totalBytes, isShown);
    return this.#line;
  }

  /** @throws FileError if an earlier input of this run has this output */
  claim(path: string, name: string): void {
    const places = placesOf(path);
    if (places.some((place) => this.#claimed.has(place))) throw new ClaimedError(name);
    this.checkClaim(path, name);
    for (const place of places) this.#claimed.add(place);
  }

  /** Once more before the output gets its name: the others' may have got theirs since. @throws FileError */
  checkClaim(path: string, name: string): void {
    const others = keysOf(path).filter((key) => key !== path);
    if (others.some((key) => this.#claimed.has(key))) throw new ClaimedError(name);
  }

  /** From now on a claim by another path, or in other letters where case does not count, is one of this output. */
  wrote(path: string): void {
    for (const key of keysOf(path)) this.#claimed.add(key);
  }

  /** Asks, if there is somebody to ask and standard input is not data. */
  async confirms(question: string): Promise<boolean> {
    const { io, settings } = this;
    const readsData = settings.operands.some((operand) => operand.isStandardInput) || settings.fileLists.includes("-");
    if (!io.stdin.readLine || !io.stdin.isTerminal || !io.stderr.isTerminal || readsData) return false;
    if (settings.verbosity < SAYS.results) return false;
    io.stderr.write(`fade: ${visible(question)} (y/n) `);
    return /^y(es)?$/i.test((await io.stdin.readLine()).trim());
  }

  /** Tells what went wrong with a file and remembers it for the exit code. */
  complain(name: string, error: unknown): Complaint {
    const complaint = this.#complaintOf(blameName(name, error));
    const { message, hint, fileName, exitCode } = complaint;
    this.#exitCodes.push(exitCode);
    this.say(SAYS.errors, `fade: ${fileName ?? name}: ${message}`);
    // Of many files that fail for one reason, the first says what to do.
    if (hint !== undefined && hint !== this.#hint) this.say(SAYS.errors, `fade: hint: ${hint}`);
    this.#hint = hint;
    return complaint;
  }

  /** Nobody needs a larger machine for a limit of their own, or of their container. */
  #complaintOf(error: unknown): Complaint {
    const complaint = complaintOf(error);
    if (!(error instanceof MemoryLimitError)) return complaint;
    if (this.settings.memoryBytesMax !== undefined) {
      return { ...complaint, hint: "raise -M (or FADE_MEMORY), which sets this limit" };
    }
    const bytes = containerBytes();
    if (bytes === undefined) return complaint;
    const [has, program] = [sizeText(bytes), sizeText(PROGRAM_BYTES)];
    return {
      ...complaint,
      hint: `the container has ${has}, of which the program itself takes ${program}: give it more`,
    };
  }

  /** The code of all failures if they agree, else the general one. */
  get exitCode(): ExitCode {
    const [first, ...others] = this.#exitCodes;
    if (first === undefined) return EXIT.ok;
    return others.every((code) => code === first) ? first : EXIT.failed;
  }
}
