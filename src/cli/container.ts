/** What a container leaves to the program: for hints, where it is too little. */
import { totalmem } from "node:os";

/** What the container (the cgroup) of this process may use, if that is less than the machine has. */
export function containerBytes(): number | undefined {
  const limitBytes = process.constrainedMemory();
  return limitBytes > 0 && limitBytes < totalmem() ? limitBytes : undefined;
}
