/**
 * Keeps Dawn from taking a whole core while it waits.
 *
 * As long as one of its promises is pending, the addon polls the GPU through globalThis.setImmediate, which it looks
 * up at every call, 150,000 times a second and more. The wrapper lets a wait spin for a short time, since most are
 * short, and then polls once a millisecond. Everybody else's setImmediate is left as it is.
 */
import { host } from "../../platform/host.ts";

const SPIN_NANOSECONDS = 300_000;
const SLEEP_MILLISECONDS = 1;

type Callback = (...args: unknown[]) => void;

let isInstalled = false;
let isPolling = false;
let waitStart = 0;

/** Idempotent; to be called before the addon does any work. */
export function throttleDawnPolling(): void {
  if (isInstalled) return;
  isInstalled = true;
  const setImmediate = globalThis.setImmediate;
  const throttled = (callback: Callback, ...args: unknown[]) => {
    if (!isDawnCallback(callback, args)) return setImmediate(callback, ...args);
    // Dawn re-arms its poll from within the poll; a call from elsewhere begins a new wait.
    if (!isPolling) waitStart = host.nanoseconds();
    const poll = () => {
      isPolling = true;
      try {
        callback();
      } finally {
        isPolling = false;
      }
    };
    if (host.nanoseconds() - waitStart < SPIN_NANOSECONDS) return setImmediate(poll);
    return setTimeout(poll, SLEEP_MILLISECONDS);
  };
  globalThis.setImmediate = Object.assign(throttled, setImmediate) as unknown as typeof globalThis.setImmediate;
}

/** The addon passes a fresh, nameless native function without arguments. */
function isDawnCallback(callback: Callback, args: readonly unknown[]): boolean {
  if (args.length > 0 || callback.name !== "" || callback.length > 0) return false;
  return Function.prototype.toString.call(callback).includes("[native code]");
}
