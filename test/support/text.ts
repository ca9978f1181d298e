/** Text for tests that train: words of uneven frequency from a small generator, the same on every machine. */
import { Random } from "./gpu-values.ts";

const WORDS = (
  "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which " +
  "one you were all her she there would their we him been has when who will no more if out so said what up its about"
).split(" ");

/** Step-major bytes of `streams` streams, as fillIntervals takes them. */
export function trainingBytes(stepCount: number, streams: number): Uint8Array {
  const random = new Random(streams);
  const bytes = new Uint8Array(stepCount * streams);
  for (let stream = 0; stream < streams; stream++) {
    let text = "";
    while (text.length < stepCount) {
      const rank = random.between(0, WORDS.length - 1) * random.between(0, WORDS.length - 1);
      text += WORDS[Math.floor(rank / WORDS.length)] as string;
      text += random.between(0, 9) === 0 ? ".\n" : " ";
    }
    for (let step = 0; step < stepCount; step++) bytes[step * streams + stream] = text.charCodeAt(step);
  }
  return bytes;
}
