/**
 * A thread of the library: does one job after the other, so that whoever calls never waits. The bytes of a stream come
 * and go by messages; engines stay open from job to job, as long as the same is asked for.
 */
import type { Engine } from "../engine/engine.ts";
import { type EngineRequest, openEngine } from "../engine/registry.ts";
import { InputSizeError } from "../pipeline/errors.ts";
import { host, type WorkerEnd } from "../platform/host.ts";
import { Engines } from "./engines.ts";
import { failureOf } from "./failures.ts";
import type { FromThread, Job, ToThread } from "./messages.ts";
import type { Company, WorkSizes } from "./progress.ts";
import { compressSettings, decompressSettings, type JobSettings } from "./settings.ts";
import { priorOf } from "./work.ts";

class LibraryThread {
  readonly #end: WorkerEnd;
  #engines: { readonly key: string; readonly engines: Engines } | undefined;
  #takeInput: ((bytes: Uint8Array | undefined) => void) | undefined;
  #taken: (() => void) | undefined;
  #stopping = new AbortController();

  constructor(end: WorkerEnd) {
    this.#end = end;
    end.onMessage((message: ToThread) => this.#hear(message));
  }

  #hear(message: ToThread): void {
    if (message.kind === "input") this.#takeInput?.(message.bytes);
    else if (message.kind === "taken") this.#taken?.();
    else if (message.kind === "stop") this.#stop();
    else void this.#answer(message.job);
  }

  /** Whatever waits for the caller waits no longer; the rest ends with the chunk that it is at. */
  #stop(): void {
    this.#stopping.abort();
    this.#takeInput?.(undefined);
    this.#taken?.();
  }

  #say(message: FromThread, transfer?: ArrayBuffer[]): void {
    this.#end.post(message, transfer);
  }

  async #answer(job: Job): Promise<void> {
    this.#stopping = new AbortController();
    try {
      this.#say({ kind: "done", sizes: await this.#do(job) });
    } catch (error) {
      this.#say({ kind: "failed", failure: failureOf(error) });
    }
  }

  async #do(job: Job): Promise<WorkSizes> {
    const settings = job.action === "compress" ? compressSettings(job.options) : decompressSettings(job.options);
    const { work, patchFrom } = settings;
    const priors = settings.priors.map((bytes) => priorOf(bytes, false, work));
    if (patchFrom) priors.push(priorOf(patchFrom, true, work));
    const company: Company = {
      engine: await this.#enginesFor(settings),
      priors,
      signal: this.#stopping.signal,
      ...(job.wantsProgress && { onProgress: (progress) => this.#say({ kind: "progress", progress }) }),
    };
    const sizes = await (settings.action === "compress"
      ? this.#compress(job, settings, company)
      : this.#restore(job, settings, company));
    // What is left out of the model moves nothing while it works.
    company.onProgress?.({ ...sizes, totalBytes: sizes.plainBytes });
    return sizes;
  }

  async #enginesFor({ engine, work: { threads } }: JobSettings): Promise<Company["engine"]> {
    const key = `${engine} ${threads}`;
    if (this.#engines?.key !== key) {
      await this.#engines?.engines.close();
      const engines = new Engines(
        { engine, threads },
        (request) => this.#openEngine(request),
        () => {},
      );
      this.#engines = { key, engines };
    }
    const { engines } = this.#engines;
    return (work) => engines.for(work);
  }

  async #openEngine(request: EngineRequest): Promise<Engine> {
    const isForGpu = request.engine === "gpu" || (request.engine === "auto" && !request.isSmall);
    if (host.mayTearDrivers || !isForGpu) return await openEngine(request);
    this.#say({ kind: "driver", isLoaded: true });
    const engine = await openEngine(request);
    if (engine.name !== "gpu") this.#say({ kind: "driver", isLoaded: false });
    return engine;
  }

  async #compress({ input }: Job, { work, sizeBytes: said }: JobSettings, company: Company): Promise<WorkSizes> {
    const [{ compressFrom }, { plainSource }] = await Promise.all([
      import("./compress-from.ts"),
      import("./plain-source.ts"),
    ]);
    const sizeBytes = input?.length ?? said;
    const read = withinSize(this.#reader(input), sizeBytes);
    const source = plainSource({ read, ...(sizeBytes !== undefined && { sizeBytes }) });
    const sizes = await compressFrom(source, (bytes) => this.#write(bytes), work, company);
    // Of a said length no end is read: but a writer waits for it, and what comes in its place must not be lost.
    await read();
    return sizes;
  }

  async #restore({ input }: Job, { work, checks }: JobSettings, company: Company): Promise<WorkSizes> {
    const { restoreFrom } = await import("./restore-from.ts");
    const readAt = async (offset: number, length: number) => (input ?? NOTHING).subarray(offset, offset + length);
    const source = { read: this.#reader(input), ...(input && { sizeBytes: input.length, readAt }) };
    return await restoreFrom(source, (bytes) => this.#write(bytes), work, company, { checks });
  }

  /** The pieces of the input; an empty one is its end. */
  #reader(input: Uint8Array | undefined): () => Promise<Uint8Array> {
    let whole = input;
    let isEnd = input !== undefined;
    return async () => {
      const first = whole;
      whole = undefined;
      if (first && first.length > 0) return first;
      while (!isEnd) {
        const bytes = await this.#wanted();
        if (bytes === undefined) isEnd = true;
        else if (bytes.length > 0) return bytes;
      }
      return NOTHING;
    };
  }

  async #wanted(): Promise<Uint8Array | undefined> {
    this.#stopping.signal.throwIfAborted();
    return await new Promise((resolve) => {
      this.#takeInput = resolve;
      this.#say({ kind: "want" });
    });
  }

  /** Copies, because the pipeline overwrites its bytes when this has returned (and a Buffer's slice is no copy). */
  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#stopping.signal.throwIfAborted();
    const own = new Uint8Array(bytes);
    const taken = new Promise<void>((resolve) => {
      this.#taken = resolve;
    });
    this.#say({ kind: "output", bytes: own }, [own.buffer]);
    await taken;
  }
}

const NOTHING = new Uint8Array(0);

/** The same pieces. @throws InputSizeError, when there are more bytes than were said to come */
function withinSize(read: () => Promise<Uint8Array>, sizeBytes = Number.POSITIVE_INFINITY) {
  let readBytes = 0;
  return async () => {
    const piece = await read();
    readBytes += piece.length;
    if (readBytes > sizeBytes) throw new InputSizeError(sizeBytes, readBytes);
    return piece;
  };
}

host.beginWorker((end) => new LibraryThread(end));
