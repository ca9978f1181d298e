/** Why an engine cannot do it, as classes that carry the facts. Nothing is imported: the library hands them on. */

export type EngineName = "reference" | "gpu" | "cpu";

/** No engine of this kind can run here; `message` says what is missing and `hint` what to do. */
export class EngineUnavailableError extends Error {
  constructor(
    readonly engine: EngineName,
    message: string,
    readonly hint: string,
  ) {
    super(message);
    this.name = "EngineUnavailableError";
  }
}

/** The device is there but too small for this model (buffer size, memory). */
export class EngineLimitError extends Error {
  constructor(
    readonly engine: EngineName,
    message: string,
  ) {
    super(message);
    this.name = "EngineLimitError";
  }
}

/** The device failed in the middle of the work: lost, out of memory, or a defect of fade or the driver. */
export class EngineDeviceError extends Error {
  constructor(
    readonly engine: EngineName,
    message: string,
  ) {
    super(message);
    this.name = "EngineDeviceError";
  }
}
