/**
 * The progress line: one line on a terminal, redrawn six times a second and cleared at the end, so that nobody waits
 * for hours without knowing it. It is shown before the first byte is done, because opening a GPU takes a second. Where
 * nothing can be redrawn (--progress into a file, TERM=dumb) a new line comes from time to time.
 */
import type { Io, ProgressFacts } from "./io.ts";
import { durationText, percentText, ratioText, sizeText } from "./words.ts";

const INTERVAL_MS = 160;
const PLAIN_INTERVAL_MS = 5000;
/** Whoever asks hears of a state at most this old, if there was a newer one. */
const PUBLISH_MS = 100;
/** No time left is promised before this much work, by which start-up costs have worn off. */
const FORECAST_AFTER_MS = 1000;

/** Clears a line of a terminal, for those of which `redraws` says so. */
export const CLEAR = "\r\x1b[K";

/** Whether what is written can be taken back. */
export function redraws({ isTerminal, isDumb }: Io["stderr"]): boolean {
  return isTerminal && !isDumb;
}

export class ProgressLine {
  readonly #startMs: number;
  #facts: ProgressFacts;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isDrawn = false;
  #publishedAtMs: number;

  /** @param label what is being worked on @param enabled draws nothing if false */
  constructor(
    readonly io: Io,
    readonly label: string,
    totalBytes: number | undefined,
    enabled: boolean,
  ) {
    this.#startMs = io.nowMs();
    this.#publishedAtMs = this.#startMs;
    this.#facts = { doneBytes: 0, totalBytes, codedBytes: 0 };
    this.#publish();
    if (!enabled) return;
    if (redraws(io.stderr)) {
      this.#draw();
      this.#timer = setInterval(() => this.#draw(), INTERVAL_MS);
    } else this.#timer = setInterval(() => this.#tell(), PLAIN_INTERVAL_MS);
  }

  update(facts: ProgressFacts): void {
    this.#facts = facts;
    if (this.io.nowMs() - this.#publishedAtMs >= PUBLISH_MS) this.#publish();
  }

  /** Clears the line until it is drawn again: something is to be said. */
  giveWay(): void {
    if (this.#isDrawn) this.io.stderr.write(CLEAR);
    this.#isDrawn = false;
  }

  /** Clears the line. May be called more than once. */
  finish(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.giveWay();
  }

  /** A line of its own, where none can be drawn over. */
  #tell(): void {
    this.io.stderr.write(`${this.#text()}\n`);
  }

  /** For somebody who asks, whether the line is shown or not. */
  #publish(): void {
    this.#publishedAtMs = this.io.nowMs();
    this.io.onProgress?.(this.label, this.#facts, this.#publishedAtMs - this.#startMs);
  }

  #text(): string {
    return progressText(this.label, this.#facts, this.io.nowMs() - this.#startMs);
  }

  #draw(): void {
    // One column stays free: a full line would wrap, and then could not be redrawn.
    const line = [...this.#text()].slice(0, Math.max(1, this.io.stderr.columns - 1)).join("");
    this.io.stderr.write(`${CLEAR}${line}`);
    this.#isDrawn = true;
  }
}

/** The text of the line after `elapsedMs`. */
export function progressText(label: string, facts: ProgressFacts, elapsedMs: number): string {
  const { doneBytes, totalBytes, codedBytes } = facts;
  const seconds = elapsedMs / 1000;
  const whole = totalBytes === undefined ? "" : ` ${percentText(doneBytes, totalBytes)} of ${sizeText(totalBytes)}`;
  const parts = [`${label}:${whole}`];
  if (doneBytes > 0) {
    // While the first block is decoded, nobody knows yet how long it is.
    const coded = codedBytes > 0 ? ` / ${sizeText(codedBytes)} = ${ratioText(doneBytes, codedBytes)}` : "";
    parts.push(`${sizeText(doneBytes)}${coded}`);
    parts.push(`${sizeText(Math.round(doneBytes / Math.max(seconds, 1e-3)))}/s`);
  }
  parts.push(durationText(Math.floor(seconds)));
  if (doneBytes > 0 && totalBytes !== undefined && elapsedMs >= FORECAST_AFTER_MS) {
    parts.push(`${durationText(((totalBytes - doneBytes) / doneBytes) * seconds)} left`);
  }
  return parts.join("  ");
}
