/** A thread that prepares blocks: answers requests in the order in which they come. */
import { host } from "../platform/host.ts";
import { release } from "../platform/release.ts";
import { SearchMemory } from "../repeats/kernels.ts";
import { type Order, type Prepared, prepare } from "./prepare.ts";

const NOTHING = new Uint8Array(0);

/** What goes back: bytes that whoever asked has, or finds in the cut, are left out. */
function replyTo({ plain, prepared }: Awaited<ReturnType<typeof prepare>>): [Prepared, ArrayBuffer[]] {
  const { cut, shown } = prepared;
  const rest = cut?.rest ?? plain;
  const isRest = shown === undefined || shown.bytes.bytes === rest;
  const made = isRest ? [] : [shown.bytes.bytes];
  const reply =
    shown && isRest ? { ...prepared, shown: { ...shown, bytes: { ...shown.bytes, bytes: NOTHING } } } : prepared;
  return [reply, [...(cut ? [cut.rest] : []), ...made].map(({ buffer }) => buffer as ArrayBuffer)];
}

host.beginWorker((end) => {
  const memory = new SearchMemory();
  let before: Promise<void> = Promise.resolve();
  end.onMessage((order: Order) => {
    before = before.then(async () => {
      end.post(...replyTo(await prepare(order, memory)));
      // Copies, made for this thread (preparers.ts).
      release(order.plain);
      if (order.cutting?.window) release(order.cutting.window);
    });
    // Whoever waits hears of it as the thread's death.
    before.catch((error: unknown) => {
      queueMicrotask(() => {
        throw error;
      });
    });
  });
});
