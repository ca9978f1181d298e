/**
 * naga, by which Firefox and wgpu read shaders, takes every text that the engine gives to a compiler, and writes it in
 * the languages of drivers. Dawn, by which all else here is tested, is the other reader of WGSL.
 *
 * Texts that load words together use subgroups, which naga does not know yet ("enable subgroups" is refused): no
 * adapter of naga's offers them, so the engine gives it none (together.ts).
 */
import { describe, expect, test } from "bun:test";
import { nagaVersion, parseWgsl, validate, writeHlsl, writeMsl, writeSpirv } from "naga-wasm";
import {
  CODER_KERNELS,
  FUSED_KERNELS,
  KERNELS,
  LIBRARIES,
  MIXER_KERNELS,
  PROBES,
} from "../../../src/engine/gpu/shaders.ts";
import { allShaderTexts, type ShaderText } from "../../support/shader-texts.ts";

const texts = await allShaderTexts();
const usesSubgroups = ({ text }: ShaderText) => text.startsWith("enable subgroups;");
const plain = texts.filter((text) => !usesSubgroups(text));

/** Reads, checks and writes a text. @throws NagaError */
function read({ text }: ShaderText): void {
  using module = parseWgsl(text);
  using info = validate(module);
  writeSpirv(module, info);
  writeHlsl(module, info, { shaderModel: "6_4" });
  writeMsl(module, info, { langVersion: [2, 4] });
}

/** What naga says of a text; empty if it takes it. */
function complaintOf(text: ShaderText): string {
  try {
    read(text);
    return "";
  } catch (error) {
    return `${text.kernel}: ${error instanceof Error ? error.message : error}`;
  }
}

test("every kernel and every library is among the texts", () => {
  const kernels = { ...KERNELS, ...FUSED_KERNELS, ...CODER_KERNELS, ...MIXER_KERNELS, ...PROBES };
  expect([...new Set(plain.map(({ kernel }) => kernel))].sort()).toEqual(Object.keys(kernels).sort());
  for (const [name, library] of Object.entries(LIBRARIES)) {
    const isRead = plain.some(({ text }) => text.includes(library));
    expect([name, isRead]).toEqual([name, name !== "eightTogether"]);
  }
});

describe(`naga ${nagaVersion}`, () => {
  test("takes them", () => {
    expect(plain.length).toBeGreaterThan(200);
    expect(plain.map(complaintOf).filter((complaint) => complaint !== "")).toEqual([]);
  }, 120_000);

  test("refuses what is wrong", () => {
    const [first] = plain as [ShaderText];
    expect(complaintOf({ kernel: "x", text: `${first.text}\nfn f() -> u32 { return -1.5; }` })).toStartWith("x: ");
  });

  test("does not know subgroups yet; once it does, these texts belong to the others", () => {
    const complaints = texts.filter(usesSubgroups).map(complaintOf);
    expect(complaints.length).toBeGreaterThan(3);
    for (const complaint of complaints)
      expect(complaint).toInclude("`subgroups` enable-extension is not yet supported");
  });
});
