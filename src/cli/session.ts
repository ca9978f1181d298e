/**
 * What the commands of one run share: settings, the world, the engine (opened at most once, when first needed) and the
 * way in which they speak to people.
 */
import { type Engine, EngineDeviceError, EngineUnavailableError } from "../engine/engine.ts";
import type { EngineRequest } from "../engine/registry.ts";
import { MemoryLimitError } from "../pipeline/memory.ts";
import { blameName, type Complaint, complaintOf, EXIT, type ExitCode, FileError } from "./errors.ts";
import { keysOf } from "./file-keys.ts";
import type { Io } from "./io.ts";
import { ProgressLine } from "./progress.ts";
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

export class Session {
  #engine: Promise<Engine> | undefined;
  #exitCodes: ExitCode[] = [];
  #hint: string | undefined;
  readonly #claimed = new Set<string>();
  /** Outputs that are inputs of this run, too: never overwritten. */
  readonly inputPaths = new Set<string>();
  /** "2/5 " while the second of five files is worked on. */
  place = "";
  #line: ProgressLine | undefined;

  constructor(
    readonly io: Io,
    readonly settings: Settings,
    readonly openEngine: OpenEngine,
  ) {
    io.onStatusRequest?.(() => {
      if (this.#line) this.#line.tell();
      else io.stderr.write("fade: no file is being worked on\n");
    });
  }

  /** Opens the engine at the first call. A function of its own, to be passed on. */
  readonly engine = async (): Promise<Engine> => {
    this.#engine ??= this.#open();
    try {
      return await this.#engine;
    } catch (error) {
      this.#engine = undefined; // what failed for this file may work for the next
      throw error;
    }
  };

  async #open(): Promise<Engine> {
    const { engine, adapter, threads } = this.settings;
    const { addressSpaceBytes = Number.POSITIVE_INFINITY } = this.io;
    if (addressSpaceBytes < ADDRESS_SPACE_MIN) {
      const [has, needs] = [sizeText(addressSpaceBytes), sizeText(ADDRESS_SPACE_MIN)];
      const hint = "raise it (ulimit -v unlimited); -M limits what fade really uses";
      const what = `the address space is limited to ${has}, and no engine runs in less than ${needs}`;
      throw new EngineUnavailableError(engine === "auto" ? "cpu" : engine, what, hint);
    }
    const opened = await this.openEngine({ engine, threads, ...(adapter !== undefined && { adapter }) });
    this.say(SAYS.details, `fade: engine ${opened.name}: ${opened.description}`);
    if (engine === "auto" && opened.name === "reference") {
      this.say(SAYS.results, "fade: no faster engine here: using the reference, some hundred bytes a second");
    }
    return opened;
  }

  /** Frees the engine, if one was opened. */
  async close(): Promise<void> {
    const engine = await this.#engine?.catch(() => undefined);
    await engine?.close();
  }

  /** A device that was lost does not come back; the next file gets another. */
  #abandonEngine(): void {
    const lost = this.#engine;
    this.#engine = undefined;
    void lost?.then((engine) => engine.close()).catch(() => {});
  }

  say(level: number, line: string): void {
    if (this.settings.verbosity >= level) this.io.stderr.write(`${visible(line)}\n`);
  }

  /** @param totalBytes undefined if nobody knows */
  progress(label: string, totalBytes: number | undefined): ProgressLine {
    const wanted = this.settings.progress ?? this.io.stderr.isTerminal;
    const isShown = wanted && this.settings.verbosity >= SAYS.results;
    this.#line = new ProgressLine(this.io, visible(`${this.place}${label}`), totalBytes, isShown);
    return this.#line;
  }

  /** @throws FileError if an earlier input of this run has this output */
  async claim(path: string, name: string): Promise<void> {
    if ((await keysOf(path)).some((key) => this.#claimed.has(key))) {
      throw new FileError("is the output of another input, too", "compress them one by one, with -o", name);
    }
    this.#claimed.add(path);
  }

  /** From now on a claim by another path, or in other letters where case does not count, is one of this output. */
  async wrote(path: string): Promise<void> {
    for (const key of await keysOf(path)) this.#claimed.add(key);
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
    if (error instanceof EngineDeviceError) this.#abandonEngine();
    const complaint = this.#complaintOf(blameName(name, error));
    const { message, hint, fileName, exitCode } = complaint;
    this.#exitCodes.push(exitCode);
    this.say(SAYS.errors, `fade: ${fileName ?? name}: ${message}`);
    // Of many files that fail for one reason, the first says what to do.
    if (hint !== undefined && hint !== this.#hint) this.say(SAYS.errors, `fade: hint: ${hint}`);
    this.#hint = hint;
    return complaint;
  }

  /** Nobody needs a larger machine for a limit of their own. */
  #complaintOf(error: unknown): Complaint {
    const complaint = complaintOf(error);
    const isOwnLimit = error instanceof MemoryLimitError && this.settings.memoryBytesMax !== undefined;
    return isOwnLimit ? { ...complaint, hint: "raise -M (or FADE_MEMORY), which sets this limit" } : complaint;
  }

  /** The code of all failures if they agree, else the general one. */
  get exitCode(): ExitCode {
    const [first, ...others] = this.#exitCodes;
    if (first === undefined) return EXIT.ok;
    return others.every((code) => code === first) ? first : EXIT.failed;
  }
}
