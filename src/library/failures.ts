/** How an error comes from a thread: as an instance of the class that it was there. */
import * as classes from "./errors.ts";
import type { Failure } from "./messages.ts";

const CLASSES: Readonly<Record<string, { readonly prototype: Error }>> = { ...classes, Error, RangeError, TypeError };

/** Fields that can be copied: numbers, texts, lists of them. */
const isPlain = (value: unknown) => typeof value !== "function" && typeof value !== "object";
const isFact = (value: unknown) => isPlain(value) || (Array.isArray(value) && value.every(isPlain));

/** An error in a form that goes from thread to thread. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: undefined, facts: {} };
  const { name, message, cause } = error;
  // A bundler may have given the class another name.
  const stack = error.stack?.replace(/^\w+/, name);
  const own = Object.entries(error).filter(([key, value]) => key !== "cause" && isFact(value));
  const facts = Object.fromEntries(own);
  return { name, message, stack, facts, ...(cause instanceof Error && { cause: failureOf(cause) }) };
}

/** The error again, an instance of its class with all that it carried. */
export function errorOf({ name, message, stack, facts, cause }: Failure): Error {
  const known = CLASSES[name];
  const error = new Error(message);
  if (known) Object.setPrototypeOf(error, known.prototype);
  Object.assign(error, facts, { name });
  if (stack !== undefined) error.stack = stack;
  if (cause) Object.defineProperty(error, "cause", { value: errorOf(cause), configurable: true, writable: true });
  return error;
}
