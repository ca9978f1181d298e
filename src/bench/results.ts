/**
 * What a benchmark of files finds, as plain data: `fade bench --json` writes these objects, one a line, `fade bench
 * report` reads them, and the lines for people are made from them. Fields are only ever added.
 */

/** How long each party kept the work waiting; the four sum to the elapsed time. */
export interface TimeSplit {
  /** Until the engine gets its first step: starting the program, opening device or threads, the model, reading. */
  readonly setUpMs: number;
  /** The engine was at work, alone or beside the coder. */
  readonly engineMs: number;
  /** The coder was at work while the engine was not. */
  readonly coderMs: number;
  /** Neither was: files, checks, the event loop. */
  readonly waitingMs: number;
}

/** One direction: compression or decompression. */
export interface Side {
  /** The fastest of `runs`. */
  readonly elapsedMs: number;
  readonly runs: number;
  readonly bytesPerSecond: number;
  /** The most that was resident in the process that did the work, which `memoryOf` names. */
  readonly peakMemoryBytes?: number;
  readonly memoryOf?: "child" | "this process";
  /** fade only. */
  readonly split?: TimeSplit;
}

/** A stretch of the learning curve. */
export interface CurvePoint {
  /** Bytes that the model has seen up to the end of the stretch: the file without copies and stored blocks. */
  readonly bytesDone: number;
  /** Of the stretch alone, as predicted: the range coder adds 0.01 % or so. */
  readonly bitsPerByte: number;
}

type Origin = "fade" | "program" | "runtime";

/** What identifies a row: the same compressor with the same setting on every file. */
export interface Contestant {
  readonly compressor: string;
  readonly origin: Origin;
  /** As one would write it on a command line. */
  readonly setting: string;
  /** fade only. */
  readonly engine?: string;
}

export interface FileResult extends Contestant {
  readonly kind: "result";
  readonly file: string;
  readonly plainBytes: number;
  readonly codedBytes: number;
  readonly ratio: number;
  readonly bitsPerByte: number;
  readonly compress: Side;
  readonly decompress: Side;
  /** Always: what did not come back byte for byte is a failure. */
  readonly isVerified: true;
  /** The engine that ran; where `engine` is auto, the one that was chosen. */
  readonly engineName?: string;
  /** The adapter, or the number of threads. */
  readonly engineDescription?: string;
  readonly curve?: readonly CurvePoint[];
}

export interface FailureResult extends Contestant {
  readonly kind: "failure";
  readonly file: string;
  readonly error: string;
}

/** A compressor that is not installed. */
export interface AbsentResult {
  readonly kind: "absent";
  readonly compressor: string;
}

/** Several files together. */
export interface TotalResult extends Contestant {
  readonly kind: "total";
  readonly files: number;
  readonly plainBytes: number;
  readonly codedBytes: number;
  readonly ratio: number;
  readonly bitsPerByte: number;
  readonly compressBytesPerSecond: number;
  readonly decompressBytesPerSecond: number;
}

export interface MachineFacts {
  readonly kind: "machine";
  readonly fadeVersion: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly runtime: string;
  readonly threads: number;
  /** One minute's load when the run began: another busy program makes all times longer. */
  readonly load: number;
  /** Seconds since 1970. */
  readonly startedAtSeconds: number;
}

export type BenchResult = MachineFacts | AbsentResult | FileResult | FailureResult | TotalResult;

function isSameContestant(a: Contestant, b: Contestant): boolean {
  return a.compressor === b.compressor && a.origin === b.origin && a.setting === b.setting && a.engine === b.engine;
}

/** Bytes a second, 0 if nothing was measured. */
export function speedOf(sizeBytes: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (sizeBytes * 1000) / elapsedMs : 0;
}

/** How many times smaller, and bits per byte; 0 where there is nothing to compare. */
export function sizesOf(plainBytes: number, codedBytes: number) {
  return {
    plainBytes,
    codedBytes,
    ratio: codedBytes > 0 ? plainBytes / codedBytes : 0,
    bitsPerByte: plainBytes > 0 ? (8 * codedBytes) / plainBytes : 0,
  };
}

/** One line per contestant that got through all of `files` files, in the order of their first results. */
export function totalsOf(results: readonly BenchResult[], files: number): TotalResult[] {
  const rows = results.filter((result) => result.kind === "result");
  const firsts = rows.filter((row, index) => rows.findIndex((other) => isSameContestant(row, other)) === index);
  return firsts.flatMap((first) => {
    const own = rows.filter((row) => isSameContestant(row, first));
    if (own.length < files) return [];
    const sum = (value: (row: FileResult) => number) => own.reduce((total, row) => total + value(row), 0);
    const plainBytes = sum((row) => row.plainBytes);
    const { compressor, origin, setting, engine } = first;
    const total: TotalResult = {
      kind: "total",
      compressor,
      origin,
      setting,
      ...(engine !== undefined && { engine }),
      files,
      ...sizesOf(
        plainBytes,
        sum((row) => row.codedBytes),
      ),
      compressBytesPerSecond: speedOf(
        plainBytes,
        sum((row) => row.compress.elapsedMs),
      ),
      decompressBytesPerSecond: speedOf(
        plainBytes,
        sum((row) => row.decompress.elapsedMs),
      ),
    };
    return [total];
  });
}
