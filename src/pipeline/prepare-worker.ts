/** A thread that prepares blocks: answers requests in the order in which they come. */
import { host } from "../platform/host.ts";
import { buffersOf, release } from "../platform/release.ts";
import { SearchMemory } from "../repeats/kernels.ts";
import { type Order, type Prepared, prepare } from "./prepare.ts";

const NOTHING = new Uint8Array(0);

/**
 * What goes back: of the block's bytes, what is left of it without copies, and what the model is shown, only the last
 * that differs from the one before: it follows from that what they were.
 *
 * @param given the order's bytes, empty where a search took them
 */
function replyTo(given: Uint8Array, { plain, prepared }: Awaited<ReturnType<typeof prepare>>) {
  const { cut, shown } = prepared;
  if (shown?.bytes.stretches) {
    const reply: Prepared = { ...prepared, ...(cut && { cut: { ...cut, rest: NOTHING } }) };
    return { reply, buffers: buffersOf([shown.bytes.bytes]) };
  }
  const seen = shown && { ...shown, bytes: { ...shown.bytes, bytes: NOTHING } };
  if (cut) return { reply: { ...prepared, shown: seen }, buffers: buffersOf([cut.rest]) };
  const back = given.length > 0 ? given : plain.slice();
  return { reply: { ...prepared, plain: back, shown: seen }, buffers: buffersOf([back]) };
}

host.beginWorker((end) => {
  const memory = new SearchMemory();
  let before: Promise<void> = Promise.resolve();
  end.onMessage((order: Order) => {
    before = before.then(async () => {
      const { reply, buffers } = replyTo(order.plain, await prepare(order, memory));
      end.post(reply, buffers);
      // This thread's own (preparers.ts).
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
