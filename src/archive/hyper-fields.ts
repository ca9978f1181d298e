/**
 * The hyper-parameters in a header, read and written by the contract's table: one varint for each, in its order.
 */
import {
  checkHyperParameters,
  contractOf,
  HYPER_FIELDS,
  HYPER_NAMES,
  HyperParameterError,
  type HyperParameters,
} from "../contract/hyper.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { CorruptError } from "./errors.ts";

/**
 * @param contract of the model: what came later has the value that does without
 * @throws CorruptError, TruncatedError
 */
export function readHyperParameters(body: ByteReader, contract: number): HyperParameters {
  const start = body.position;
  const values = HYPER_NAMES.map((name) => {
    const { since, off = 0 } = HYPER_FIELDS[name];
    return [name, since > contract ? off : body.varintWithin(`hyper-parameter ${name}`, 0, 0xffff_ffff)] as const;
  });
  const hyper = Object.fromEntries(values) as HyperParameters;
  try {
    checkHyperParameters(hyper);
  } catch (error) {
    if (!(error instanceof HyperParameterError)) throw error;
    throw new CorruptError(start, `hyper-parameter ${error.field}`, error.rule, `${error.value}`);
  }
  return hyper;
}

/** Writes those that a model of its contract has. @throws HyperParameterError */
export function writeHyperParameters(body: ByteWriter, hyper: HyperParameters): void {
  checkHyperParameters(hyper);
  const contract = contractOf(hyper);
  for (const name of HYPER_NAMES) {
    if (HYPER_FIELDS[name].since <= contract) body.varint(hyper[name]);
  }
}
