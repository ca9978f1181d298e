/**
 * A worker thread of the CPU engine: obeys commands until told to close. It never returns to its event loop in
 * between, because that would cost more than a step.
 */
import { host } from "../../platform/host.ts";
import { Control, waitForChange } from "./control.ts";
import { Network } from "./network.ts";
import type { ThreadSetup } from "./thread.ts";

host.beginWorker((end) => {
  const network = new Network(end.data as ThreadSetup);
  const { control } = network.thread;
  end.post("ready");
  try {
    network.prepare();
    for (let count = 0; ; count++) {
      waitForChange(control, Control.COMMAND_COUNT, count);
      if (!network.obey()) break;
    }
  } catch (error) {
    // The others wait for this thread: tell them before it ends.
    Atomics.store(control, Control.FAILED, 1);
    throw error;
  }
});
