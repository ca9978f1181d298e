/** One coder worker as the main thread sees it. */
import { WorkerThread } from "../platform/worker-thread.ts";
import { CoderWorkerError } from "./errors.ts";
import type { Reply, Request, WorkerSetup } from "./protocol.ts";

export class CoderThread extends WorkerThread<Request, Reply> {
  constructor(index: number, setup: WorkerSetup) {
    super("coder", setup, (detail) => new CoderWorkerError(index, detail));
  }
}
