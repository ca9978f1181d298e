/**
 * What `fade bench kernels` finds, as plain data: one object a line with --json, for the report and for programs.
 * Fields are only ever added.
 */

/** What all lines of one run on one device with one model share. */
export interface KernelSubject {
  readonly engine: "gpu" | "cpu";
  /** The adapter, or the processor. */
  readonly device: string;
}

export interface ModelSubject extends KernelSubject {
  /** "-5" */
  readonly setting: string;
  readonly streams: number;
}

/** What the device can do at best, measured by a bare loop. */
export interface PeakResult extends KernelSubject {
  readonly kind: "peak";
  /** multiply-adds of the instruction that the products use, or bytes copied. */
  readonly what: "multiply-adds" | "bytes";
  readonly loop: string;
  readonly perSecond: number;
}

/** What it costs to ask at all. */
export interface OverheadResult extends KernelSubject {
  readonly kind: "overhead";
  readonly what: string;
  readonly microseconds: number;
}

/** Some steps of the model against the reference, number by number, before anything is timed. */
export interface CheckResult extends ModelSubject {
  readonly kind: "check";
  readonly steps: number;
  /** Of a mixer, whose payloads were compared. */
  readonly isMixer?: true;
  /** The first number that differs; undefined if all are equal. */
  readonly difference?: string;
}

/** A kernel at one shape, as a step of the model runs it. */
export interface KernelResult extends ModelSubject {
  readonly kind: "kernel";
  readonly kernel: string;
  readonly shape: string;
  /** Calls in a step; 0 for a kernel that this model's step does not have. */
  readonly calls: number;
  /** A step of compression does without it. */
  readonly isDecodingOnly?: true;
  /** One call. */
  readonly microseconds: number;
  /** What a call must do, from the table of cases; absent where that has none. */
  readonly work?: KernelWork;
  readonly multiplyAddsPerSecond?: number;
  readonly bytesPerSecond?: number;
  /** Of the measured peak that it comes closest to. */
  readonly shareOfPeak?: number;
  readonly nearest?: PeakResult["what"];
}

export interface KernelWork {
  readonly multiplyAdds: number;
  /** Each number that is read or written, counted once: caches may save some, bad access may add more. */
  readonly bytes: number;
}

/** A whole step. */
export interface StepResult extends ModelSubject {
  readonly kind: "step";
  /** Kernels one by one, added up. */
  readonly kernelsMicroseconds: number;
  /** The step as the engine runs it. */
  readonly wholeMicroseconds: number;
  /** Of the whole step's products, and what share of the arithmetic's peak that is. */
  readonly multiplyAdds?: number;
  readonly shareOfPeak?: number;
  readonly calls: number;
  /** How the times were taken. */
  readonly clock: string;
}

/** A bit mixer: what a byte of a lane takes, coder included, and what all lanes do together. */
export interface MixerResult extends ModelSubject {
  readonly kind: "mixer";
  readonly contexts: number;
  /** Contexts with counters. */
  readonly counters: number;
  /** 2^lineBits lines for each context of a lane. */
  readonly lineBits: number;
  readonly openMs: number;
  /** A byte of a lane, compressing; the least of some chunks. */
  readonly microseconds: number;
  /** The same, restoring. */
  readonly restoreMicroseconds: number;
  readonly bytesPerSecond: number;
  readonly restoredPerSecond: number;
}

/** A part of a kernel, as its plan has it: a product of a matrix, a tensor, the norms, walks over values. */
export interface PlanPart {
  readonly part: string;
  /** Of one invocation, one after the other. */
  readonly iterations: number;
  readonly multiplyAdds: number;
  /** What all invocations of the kernel could have multiplied in these iterations. */
  readonly slots: number;
  /** Words of 32 bits that are loaded and stored; caches may have some of them. */
  readonly words: number;
}

/** What a step makes a hardware GPU do in one of its kernels, or a byte of every lane of a mixer; nothing is run. */
export interface PlanResult {
  readonly kind: "plan";
  readonly setting: string;
  /** Or lanes. */
  readonly streams: number;
  readonly kernel: string;
  /** In a step: those of all shapes together. */
  readonly calls: number;
  /** Of all calls, each of so many invocations. */
  readonly workgroups: number;
  readonly invocations: number;
  /** Those that an invocation goes through one after the other; calls follow each other, too. */
  readonly iterations: number;
  readonly multiplyAdds: number;
  /** Of what all invocations could multiply in their iterations, the share that they do; absent without products. */
  readonly lanesUsed?: number;
  /** Loaded and stored; caches may have some of them. */
  readonly bytes: number;
  readonly isDecodingOnly?: true;
  readonly parts?: readonly PlanPart[];
}

export type KernelBenchResult = PeakResult | OverheadResult | CheckResult | KernelResult | StepResult | MixerResult;

type KernelRates = Pick<KernelResult, "work" | "multiplyAddsPerSecond" | "bytesPerSecond" | "shareOfPeak" | "nearest">;

/** The highest peak of each kind: what lies in caches may be faster than memory. */
export function highestPeaks(peaks: readonly PeakResult[]): PeakResult[] {
  const kinds = [...new Set(peaks.map(({ what }) => what))];
  return kinds.flatMap((kind) => {
    const best = peaks.filter(({ what }) => what === kind).sort((a, b) => b.perSecond - a.perSecond)[0];
    return best ? [best] : [];
  });
}

/** Speeds and share of the highest peaks. */
export function ratesOf(microseconds: number, work: KernelWork | undefined, peaks: readonly PeakResult[]): KernelRates {
  if (!work || microseconds <= 0) return work ? { work } : {};
  const multiplyAddsPerSecond = (work.multiplyAdds * 1e6) / microseconds;
  const bytesPerSecond = (work.bytes * 1e6) / microseconds;
  const rates = { "multiply-adds": multiplyAddsPerSecond, bytes: bytesPerSecond };
  const shares = highestPeaks(peaks).map(({ what, perSecond }) => ({ what, share: rates[what] / perSecond }));
  const best = shares.sort((a, b) => b.share - a.share)[0];
  return {
    work,
    multiplyAddsPerSecond,
    bytesPerSecond,
    ...(best && { shareOfPeak: best.share, nearest: best.what }),
  };
}
