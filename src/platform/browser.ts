/**
 * The host that is a browser. The pipeline runs in a Web Worker: only there may a thread wait, and fetch what it needs
 * in the middle of its work. Memory is shared where the page is isolated from others (crossOriginIsolated); the lanes
 * of the levels talk by messages, and have threads everywhere.
 */
import type { Host, Worker as HostWorker, WorkerEvent } from "./host-interface.ts";
import { portable } from "./portable.ts";

/** What this file uses of the web, which the types of the program's own runtime do not have. */
interface WebWorker {
  onmessage: ((event: { data: unknown }) => void) | null;
  onmessageerror: (() => void) | null;
  onerror: ((event: { message?: string; preventDefault(): void }) => void) | null;
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  terminate(): void;
}
interface WebWorkerScope {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
}
interface SyncRequest {
  responseType: string;
  readonly status: number;
  readonly response: ArrayBuffer | null;
  open(method: string, url: string, isAsync: boolean): void;
  send(): void;
}
interface Web {
  readonly crossOriginIsolated?: boolean;
  readonly location?: { readonly origin: string };
  readonly navigator?: { readonly hardwareConcurrency?: number; readonly deviceMemory?: number };
  readonly XMLHttpRequest: new () => SyncRequest;
}
declare const Worker: new (url: URL | string, options: { type: "module" }) => WebWorker;

const web = globalThis as unknown as Web;
const scope = globalThis as unknown as WebWorkerScope;
const GIB = 2 ** 30;
/** Where the browser does not tell. */
const MEMORY_GIB = 4;

/** Bundlers look for exactly this form, and take the workers along. */
const WORKERS: Readonly<Record<string, () => WebWorker>> = {
  library: () => new Worker(new URL("./library-worker.js", import.meta.url), { type: "module" }),
  coder: () => new Worker(new URL("./coder-worker.js", import.meta.url), { type: "module" }),
  engine: () => new Worker(new URL("./engine-worker.js", import.meta.url), { type: "module" }),
  mixer: () => new Worker(new URL("./mixer-worker.js", import.meta.url), { type: "module" }),
  preparer: () => new Worker(new URL("./preparer-worker.js", import.meta.url), { type: "module" }),
};

/** A page may start no worker from another site, but one of its own may import a module from there. */
function startAbroad(name: string): WebWorker {
  const text = `import ${JSON.stringify(new URL(`./${name}-worker.js`, import.meta.url).href)};`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  return new Worker(url, { type: "module" });
}

/** In a worker that began as above, the origin is still the page's. */
const isAbroad = () => web.location !== undefined && new URL(import.meta.url).origin !== web.location.origin;

class BrowserWorker implements HostWorker {
  readonly #worker: WebWorker;
  readonly #listeners = new Map<WorkerEvent, ((fact: never) => void)[]>();

  constructor(worker: WebWorker, data: unknown) {
    this.#worker = worker;
    worker.onmessage = (event) => this.#tell("message", event.data);
    worker.onmessageerror = () => this.#tell("messageerror", undefined);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#tell("error", new Error(event.message ?? "the worker could not be loaded"));
    };
    worker.postMessage(data);
  }

  postMessage(message: unknown, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  on<Fact>(event: WorkerEvent, listen: (fact: Fact) => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listen]);
  }

  once<Fact>(event: WorkerEvent, listen: (fact: Fact) => void): void {
    const onlyOnce = (fact: Fact) => {
      const others = this.#listeners.get(event)?.filter((each) => each !== onlyOnce) ?? [];
      this.#listeners.set(event, others);
      listen(fact);
    };
    this.on(event, onlyOnce);
  }

  async terminate(): Promise<void> {
    this.#worker.terminate();
  }

  /** A page ends without waiting for anybody. */
  ref(): void {}
  unref(): void {}

  #tell(event: WorkerEvent, fact: unknown): void {
    for (const listen of this.#listeners.get(event) ?? []) listen(fact as never);
  }
}

function startWorker(name: string, _path: string, data: unknown): HostWorker {
  const start = WORKERS[name];
  if (!start) throw new RangeError(`there is no worker ${name}`);
  return new BrowserWorker(isAbroad() ? startAbroad(name) : start(), data);
}

/** The first message is the data that the worker was started with. */
function beginWorker(begin: Parameters<Host["beginWorker"]>[0]): void {
  scope.onmessage = ({ data }) => {
    const early: unknown[] = [];
    scope.onmessage = (event) => void early.push(event.data);
    begin({
      data,
      post: (message, transfer = []) => scope.postMessage(message, transfer),
      onMessage: (handle) => {
        scope.onmessage = (event) => handle(event.data as never);
        for (const message of early.splice(0)) handle(message as never);
      },
    });
  };
}

/** Waits for the answer, as only a worker may: what needs the file has no use for time without it. */
function readAsset(url: string): Uint8Array<ArrayBuffer> {
  const request = new web.XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200 || !request.response) throw new Error(`${url} could not be loaded: ${request.status}`);
  return new Uint8Array(request.response);
}

export const host: Host = {
  ...portable,
  collectGarbage: () => {},
  processorCount: () => web.navigator?.hardwareConcurrency ?? 1,
  memoryBytes: () => (web.navigator?.deviceMemory ?? MEMORY_GIB) * GIB,
  preferLargePages: () => {},
  emptyPages: () => false,
  sharesMemory: web.crossOriginIsolated === true,
  mayTearDrivers: true,
  readAsset,
  startWorker,
  beginWorker,
};
