// bun dump.ts ROOT LEVEL POLICYLEVEL STREAMBYTES SHAPEJSON OUTDIR NET(0/1) FILES...
import { closeSync, openSync, readFileSync, writeSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
const [root, level, policy, streamBytes, shapeText, out, net, ...files] = process.argv.slice(2);
const from = (p: string) => import(resolve(root, p));
await (await from("src/engine/cpu/assembly/build.ts")).buildAssembly();
const { CpuModel } = await from("src/engine/cpu/engine.ts");
const { hyperForSize, levelOf, streamsForSize } = await from("src/model/hyper.ts");
const { findStride } = await from("src/pipeline/stride.ts");
const { encodeCopies } = await from("src/repeats/copies.ts");
const { cut } = await from("src/repeats/cut.ts");
const { cutOptionsFor, policyOfLevel } = await from("src/repeats/policy.ts");
for (const path of files) {
  const name = basename(path);
  const plain = new Uint8Array(readFileSync(path));
  const { rest, copies } = cut(plain, new Uint8Array(0), cutOptionsFor(plain, false, policyOfLevel(Number(policy))));
  const seen = copies.count > 0 ? rest : plain;
  const list = copies.count > 0 ? encodeCopies(copies).length : 0;
  const streams = streamsForSize(seen.length, Number(streamBytes));
  const stride = findStride(seen, streams);
  const hyper = { ...hyperForSize(levelOf(Number(level)), seen.length, streams), ...JSON.parse(shapeText) };
  writeFileSync(`${out}/${name}.seen`, seen);
  console.log(name, plain.length, seen.length, list, stride, streams);
  if (net === "0") continue;
  const model = await CpuModel.open(hyper, 1, () => 0);
  await model.describe({ stride });
  const L = seen.length, B = streams;
  const lengths = Array.from({ length: B }, (_, s) => Math.floor(L / B) + (s < L % B ? 1 : 0));
  const starts: number[] = []; let a = 0; for (const l of lengths) { starts.push(a); a += l; }
  const steps = Math.max(...lengths);
  const ends = new Uint32Array(256 * B), bytes = new Uint8Array(B);
  const row = new Uint16Array(8 * B);
  const fd = openSync(`${out}/${name}.net`, "w");
  let bits = 0;
  const t0 = performance.now();
  for (let t = 0; t < steps; t++) {
    await model.predict(ends);
    for (let s = 0; s < B; s++) {
      const live = t < lengths[s]!;
      const v = live ? seen[starts[s]! + t]! : 0;
      bytes[s] = v;
      const at = (x: number) => (x === 0 ? 0 : ends[s * 256 + x - 1]!);
      if (live) bits -= Math.log2((at(v + 1) - at(v)) / 2 ** 22);
      let lo = 0, hi = 256;
      for (let k = 0; k < 8; k++) {
        const mid = (lo + hi) >> 1;
        const p = (at(hi) - at(mid)) / (at(hi) - at(lo));
        row[s * 8 + k] = Math.max(1, Math.min(65535, Math.round(p * 65536)));
        if (v >= mid) lo = mid; else hi = mid;
      }
    }
    writeSync(fd, new Uint8Array(row.buffer));
    await model.learn(bytes);
  }
  closeSync(fd);
  await model.close();
  console.error(name, "ideal", Math.round(bits / 8), "ms", Math.round(performance.now() - t0));
}
process.exit(0);
