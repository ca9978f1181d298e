/** Every class of errors that the library throws, to be told apart by `instanceof`. */
import {
  ArchiveError,
  CorruptError,
  MissingPriorError,
  NotAnArchiveError,
  TrailingBytesError,
  TruncatedError,
  UnsupportedVersionError,
} from "../archive/errors.ts";
import { EngineDeviceError, EngineLimitError, EngineUnavailableError } from "../engine/errors.ts";
import { BlockError, InputSizeError, MemoryLimitError, OutputLimitError, TimeLimitError } from "../pipeline/errors.ts";
import { SimdUnavailableError, ThreadLimitError } from "../platform/errors.ts";
import { OptionError } from "./options.ts";

export {
  ArchiveError,
  BlockError,
  CorruptError,
  EngineDeviceError,
  EngineLimitError,
  EngineUnavailableError,
  InputSizeError,
  MemoryLimitError,
  MissingPriorError,
  NotAnArchiveError,
  OptionError,
  OutputLimitError,
  SimdUnavailableError,
  ThreadLimitError,
  TimeLimitError,
  TrailingBytesError,
  TruncatedError,
  UnsupportedVersionError,
};
