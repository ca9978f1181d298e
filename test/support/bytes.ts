/** Bytes of simple kinds, the same on every machine. */
import { Random } from "./gpu-values.ts";

export const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

export const utf8 = (text: string) => new TextEncoder().encode(text);

/** Chance, of which there is nothing to say. */
export function noise(count: number, seed = count): Uint8Array<ArrayBuffer> {
  const random = new Random(seed);
  return Uint8Array.from({ length: count }, () => random.between(0, 255));
}

/** Five letters, which any model can code in few bits. */
export const soft = (count: number) => Uint8Array.from({ length: count }, (_, i) => 97 + ((i * i + (i >> 4)) % 5));
