/**
 * Cuts a block into B contiguous streams, and turns it from stream-major (the file) to step-major (the network's
 * order) and back.
 *
 * Lengths differ by at most one byte: of n bytes the first n mod B streams hold ceil(n / B), the others floor(n / B).
 * So no padding is ever coded: only in the last step do the streams from n mod B on have no byte.
 */

export interface StreamLayout {
  readonly sizeBytes: number;
  readonly streams: number;
  /** Steps of the block: the length of its longest stream. */
  readonly steps: number;
  /** Streams that still have a byte in the last step. */
  readonly liveInLastStep: number;
}

/** @param sizeBytes 0 to 2^53 - 1 @param streams 1 or more */
export function layoutOf(sizeBytes: number, streams: number): StreamLayout {
  const steps = Math.ceil(sizeBytes / streams);
  return { sizeBytes, streams, steps, liveInLastStep: steps === 0 ? 0 : sizeBytes - (steps - 1) * streams };
}

/** How many streams have a byte at `step`. */
export function liveAt(layout: StreamLayout, step: number): number {
  return step === layout.steps - 1 ? layout.liveInLastStep : layout.streams;
}

/** Plain bytes in the first `stepsDone` steps. */
export function bytesInSteps(layout: StreamLayout, stepsDone: number): number {
  return Math.min(layout.sizeBytes, stepsDone * layout.streams);
}

/** Where stream `stream` begins in the block. */
export function streamStart({ steps, liveInLastStep }: StreamLayout, stream: number): number {
  return stream * (steps - 1) + Math.min(stream, liveInLastStep);
}

/** `count` steps from `firstStep` in step-major order; streams that have ended have 0. */
export function gatherSteps(data: Uint8Array, layout: StreamLayout, firstStep: number, count: number): Uint8Array {
  const { streams } = layout;
  const stepMajor = new Uint8Array(count * streams);
  const full = countFullSteps(layout, firstStep, count);
  for (let stream = 0; stream < streams; stream += 1) {
    const from = streamStart(layout, stream) + firstStep;
    for (let i = 0; i < full; i += 1) stepMajor[i * streams + stream] = data[from + i] as number;
    if (full < count && stream < layout.liveInLastStep) stepMajor[full * streams + stream] = data[from + full] ?? 0;
  }
  return stepMajor;
}

/** The inverse of `gatherSteps`: puts decoded steps where they belong in the block. */
export function scatterSteps(
  stepMajor: Uint8Array,
  layout: StreamLayout,
  firstStep: number,
  count: number,
  data: Uint8Array,
): void {
  const { streams } = layout;
  const full = countFullSteps(layout, firstStep, count);
  for (let stream = 0; stream < streams; stream += 1) {
    const to = streamStart(layout, stream) + firstStep;
    for (let i = 0; i < full; i += 1) data[to + i] = stepMajor[i * streams + stream] as number;
    if (full < count && stream < layout.liveInLastStep) data[to + full] = stepMajor[full * streams + stream] as number;
  }
}

/** Of `count` steps from `firstStep`, those in which every stream has a byte: all but possibly the block's last. */
function countFullSteps(layout: StreamLayout, firstStep: number, count: number): number {
  const endsBlock = firstStep + count === layout.steps;
  return endsBlock && layout.liveInLastStep < layout.streams ? count - 1 : count;
}
