/**
 * The standard streams of the real process. They are read and written through their file descriptors, because only
 * that gives exact bytes, backpressure and the true error codes on files, pipes and terminals alike.
 */
import { fstatSync, read as readCallback } from "node:fs";
import { isatty } from "node:tty";
import { promisify } from "node:util";
import { addressSpaceLimit, positionOf, wasClosedAtStart } from "../platform/process-facts.ts";
import type { ProgramBoard } from "./board.ts";
import { again, STDERR, STDIN, STDOUT, tell, writeDescriptor } from "./descriptors.ts";
import type { Io } from "./io.ts";
import { ignoresBrokenPipe } from "./signals.ts";

const read = promisify(readCallback);

const CHUNK_BYTES = 1 << 18;
const COLUMNS_DEFAULT = 80;

/** @param board shared with the main thread @param onProgress see Io */
export function processIo(board: ProgramBoard, onProgress: NonNullable<Io["onProgress"]>): Io {
  const stderrIsTerminal = isatty(STDERR);
  const hasStdin = !wasClosedAtStart(STDIN);
  const hasStdout = !wasClosedAtStart(STDOUT);
  const addressSpace = addressSpaceLimit();
  const room = new Uint8Array(CHUNK_BYTES);
  return {
    cwd: process.cwd(),
    stdin: {
      isTerminal: isatty(STDIN),
      read: async () => await readChunk(opened(STDIN, hasStdin), room),
      readAll: async () => await readChunks(opened(STDIN, hasStdin)),
      readLine,
      ...(hasStdin && redirectedFrom(STDIN)),
    },
    stdout: {
      isTerminal: isatty(STDOUT),
      write: async (bytes) => await writeDescriptor(opened(STDOUT, hasStdout), bytes),
    },
    ...(addressSpace && { addressSpace }),
    stderr: {
      isTerminal: stderrIsTerminal,
      isDumb: process.env.TERM === "dumb",
      get columns() {
        // 0 on terminals that nobody told their size.
        return board.columns || COLUMNS_DEFAULT;
      },
      write: (text) => {
        // The main thread has cleared the line, and what fails now fails because it has removed the output.
        if (!board.isEnding) tell(text);
      },
    },
    ignoresBrokenPipe,
    nowMs: () => performance.now(),
    onProgress,
    temporaryFiles: board.temporaryFiles,
    uninterrupted: (work) => board.uninterrupted(work),
  };
}

/** The file behind a descriptor, if it is one that is read from its start. */
function redirectedFrom(descriptor: number): Pick<Io["stdin"], "file"> {
  try {
    const facts = fstatSync(descriptor);
    if (!facts.isFile() || facts.size === 0 || positionOf(descriptor) !== 0) return {};
    const readAt = async (offsetBytes: number, lengthBytes: number) => {
      const bytes = new Uint8Array(lengthBytes);
      const { bytesRead } = await read(descriptor, bytes, 0, lengthBytes, offsetBytes);
      return bytes.subarray(0, bytesRead);
    };
    return { file: { sizeBytes: facts.size, readAt } };
  } catch {
    return {};
  }
}

/** What the system would say of a closed stream, if the runtime did not put /dev/null there. */
function opened(descriptor: number, isOpen: boolean): number {
  if (isOpen) return descriptor;
  throw Object.assign(new Error("the descriptor is closed"), { code: "EBADF" });
}

async function readChunk(fd: number, chunk = new Uint8Array(CHUNK_BYTES)): Promise<Uint8Array> {
  const { bytesRead } = await again(() => read(fd, chunk, 0, chunk.length, null));
  return chunk.subarray(0, bytesRead);
}

async function readChunks(fd: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await readChunk(fd);
    if (chunk.length === 0) break;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** A terminal hands over whole lines. */
async function readLine(): Promise<string> {
  const line = new Uint8Array(1024);
  const { bytesRead } = await again(() => read(STDIN, line, 0, line.length, null));
  return new TextDecoder().decode(line.subarray(0, bytesRead));
}
