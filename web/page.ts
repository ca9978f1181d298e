/**
 * The page that compresses a file, or restores an archive, where it is shown: nothing is sent to anybody. What it says
 * and draws comes from the library's progress; the library itself works in threads of its own.
 */
import {
  ArchiveError,
  type ByteTransform,
  fadeCompress,
  fadeDecompress,
  list,
  NotAnArchiveError,
  type Progress,
} from "../src/index.ts";
import { Curve, sizeText } from "./curve.ts";

function find<T extends Element>(id: string, kind: abstract new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${id}`);
}

const fileInput = find("file", HTMLInputElement);
const drop = find("drop", HTMLLabelElement);
const level = find("level", HTMLSelectElement);
const threads = find("threads", HTMLInputElement);
const bar = find("progress", HTMLProgressElement);
const status = find("status", HTMLParagraphElement);
const facts = find("facts", HTMLDListElement);
const cancel = find("cancel", HTMLButtonElement);
const result = find("result", HTMLAnchorElement);
const curve = new Curve(find("curve", SVGSVGElement));
const figure = find("figure", HTMLElement);

const SUFFIX = ".fade";
/** Archives up to this length are looked into before they are restored. */
const LIST_BYTES_MAX = 2 ** 28;
let running: AbortController | undefined;
let address: string | undefined;

function setState(state: "idle" | "working" | "done" | "failed"): void {
  document.body.dataset.state = state;
  cancel.hidden = state !== "working";
  result.hidden = state !== "done";
}

function showFacts(rows: readonly (readonly [name: string, value: string])[]): void {
  facts.replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const [term, text] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      text.textContent = value;
      text.dataset.fact = name;
      return [term, text];
    }),
  );
}

/** Whether bytes begin like an archive, whatever their name is. */
async function isArchive(file: File): Promise<boolean> {
  const start = new Uint8Array(await file.slice(0, 2 ** 16).arrayBuffer());
  try {
    await list(start);
    return true;
  } catch (error) {
    // Cut off where it was sliced: an archive all the same.
    return error instanceof ArchiveError && !(error instanceof NotAnArchiveError);
  }
}

/** Plain bytes of an archive that is not too long to be held for it. */
async function plainBytesOf(file: File): Promise<number | undefined> {
  if (file.size > LIST_BYTES_MAX) return undefined;
  return (await list(new Uint8Array(await file.arrayBuffer()))).plainBytes;
}

/** What is being done, and how it looks. */
interface Work {
  readonly verb: "compressed" | "restored";
  readonly name: string;
  readonly plainBytes: number | undefined;
  transform(onProgress: (progress: Progress) => void, signal: AbortSignal): ByteTransform;
}

async function workFor(file: File): Promise<Work> {
  const count = Math.max(1, Math.min(64, Math.floor(threads.valueAsNumber) || 1));
  if (await isArchive(file)) {
    const name = file.name.endsWith(SUFFIX) ? file.name.slice(0, -SUFFIX.length) : `${file.name}.restored`;
    const plainBytes = await plainBytesOf(file);
    const transform: Work["transform"] = (onProgress, signal) => fadeDecompress({ threads: count, onProgress, signal });
    return { verb: "restored", name, plainBytes, transform };
  }
  const transform: Work["transform"] = (onProgress, signal) =>
    fadeCompress({ level: Number(level.value), threads: count, sizeBytes: file.size, onProgress, signal });
  return { verb: "compressed", name: `${file.name}${SUFFIX}`, plainBytes: file.size, transform };
}

function show(work: Work, { plainBytes, archiveBytes }: Progress, startedAtMs: number): void {
  const seconds = (performance.now() - startedAtMs) / 1000;
  const total = work.plainBytes ?? plainBytes;
  bar.value = total > 0 ? plainBytes / total : 1;
  showFacts([
    ["plain", sizeText(plainBytes)],
    ["archive", sizeText(archiveBytes)],
    ["ratio", archiveBytes > 0 ? (plainBytes / archiveBytes).toFixed(3) : "–"],
    ["time", `${seconds.toFixed(1)} s`],
    ["speed", `${sizeText(plainBytes / Math.max(seconds, 1e-3))}/s`],
  ]);
  if (work.verb === "restored") return;
  curve.add({ plainBytes, archiveBytes });
  curve.draw(total);
}

async function start(file: File): Promise<void> {
  running?.abort(new DOMException("another file was chosen", "AbortError"));
  const controller = new AbortController();
  running = controller;
  if (address !== undefined) URL.revokeObjectURL(address);
  address = undefined;
  find("work", HTMLElement).hidden = false;
  find("name", HTMLHeadingElement).textContent = file.name;
  curve.clear();
  showFacts([]);
  bar.removeAttribute("value");
  setState("working");
  status.textContent = "Working …";
  try {
    const work = await workFor(file);
    figure.hidden = work.verb === "restored";
    await run(file, work, controller.signal);
  } catch (error) {
    // Of a file that another has replaced nobody wants to hear.
    if (running !== controller) return;
    bar.value = 0;
    setState("failed");
    status.textContent = controller.signal.aborted ? "Cancelled" : `${file.name} ${messageOf(error)}`;
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function run(file: File, work: Work, signal: AbortSignal): Promise<void> {
  const startedAtMs = performance.now();
  const onProgress = (progress: Progress) => {
    if (!signal.aborted) show(work, progress, startedAtMs);
  };
  // Types of the program's runtime and of the page differ in what they say of streams.
  const { readable, writable } = work.transform(onProgress, signal);
  const stream = file.stream().pipeThrough({ readable, writable } as ReadableWritablePair<Uint8Array<ArrayBuffer>>);
  const blob = await new Response(stream).blob();
  address = URL.createObjectURL(blob);
  result.href = address;
  result.download = work.name;
  result.textContent = `Save ${work.name}`;
  bar.value = 1;
  setState("done");
  status.textContent = `${file.name} was ${work.verb}: ${sizeText(file.size)} became ${sizeText(blob.size)}`;
  result.focus();
}

fileInput.addEventListener("change", () => {
  const [file] = fileInput.files ?? [];
  if (file) void start(file);
  // So that the same file may be chosen again.
  fileInput.value = "";
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) drop.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const [file] = event.dataTransfer?.files ?? [];
  if (file) void start(file);
});
cancel.addEventListener("click", () => running?.abort(new DOMException("cancelled", "AbortError")));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.abort(new DOMException("cancelled", "AbortError"));
});

threads.value = `${Math.min(64, navigator.hardwareConcurrency)}`;
find("engine", HTMLSpanElement).textContent = crossOriginIsolated
  ? "WebAssembly, on threads that share memory"
  : "WebAssembly; networks on one thread, as this page is not isolated";
setState("idle");
fileInput.focus();
