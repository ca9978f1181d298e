/**
 * Whole arrays: compressed or restored in one call each. As many calls work at a time as the machine runs threads; the
 * others wait for their turn.
 */
import { host } from "../platform/host.ts";
import type { Job } from "./messages.ts";
import type { WorkOptions } from "./options.ts";
import { RunningJob } from "./threads.ts";

let working = 0;
const waiting: (() => void)[] = [];

/** Waits for a turn. @throws the signal's reason */
async function begin(signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (working >= host.processorCount()) {
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal?.reason);
      };
      waiting.push(go);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
    // Whoever ended has left its turn to this one.
    return;
  }
  working += 1;
}

function end(): void {
  const next = waiting.shift();
  if (next) next();
  else working -= 1;
}

/** @throws what the job throws, the reason of `signal` */
export async function callThread(
  action: Job["action"],
  input: Uint8Array,
  { signal, onProgress, ...options }: WorkOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const job: Job = { action, options, input, wantsProgress: onProgress !== undefined };
  await begin(signal);
  try {
    const parts: Uint8Array[] = [];
    const run: RunningJob = new RunningJob(
      job,
      {
        want: () => run.send(undefined),
        output: (bytes) => {
          parts.push(bytes);
          run.taken();
        },
        progress: (progress) => onProgress?.(progress),
      },
      signal,
    );
    await run.done;
    return host.concatenate(parts);
  } finally {
    end();
  }
}
