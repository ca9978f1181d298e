/**
 * What the source may not contain: whatever could make two machines disagree about a bit, and what makes code hard to
 * read. The rules work on text, line by line; tidy.test.ts runs them on every file, and each on a sample.
 */

export interface SourceFile {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

interface Rule {
  readonly name: string;
  applies(path: string): boolean;
  /** Complaints, each starting with a line number. */
  check(file: SourceFile): string[];
}

const MODULE_LINES_MAX = 450;
const LINE_LENGTH_MAX = 120;
const FUNCTION_LINES_MAX = 70;

/** Code that waits for the GPU or asks the system may look at clocks; it never sees a weight. */
const GLUE = new Set(["addon.ts", "dawn.ts", "polling.ts", "quiet.ts"].map((name) => `src/engine/gpu/${name}`));
const isAssembly = (path: string) =>
  /^src\/(engine\/(cpu|mixer)|predict|prior|repeats|pipeline)\/assembly\//.test(path);

const isTypeScript = (path: string) => /\.(ts|mjs)$/.test(path);
const isShader = (path: string) => path.endsWith(".wgsl");
const isExact = (path: string) =>
  /^src\/(contract|model|coder|engine|predict)\//.test(path) && isTypeScript(path) && !GLUE.has(path);
/** What an encoder decides, too, must be the same in every runtime. */
const decidesBytes = (path: string) =>
  isExact(path) || (/^src\/(archive|pipeline|repeats)\//.test(path) && isTypeScript(path));
const isCode = (path: string) => isTypeScript(path) || isShader(path);
/** The rules' own samples break the rules. */
const isSample = (path: string) => path === "test/tidy.test.ts" || path === "test/setup/tidy-rules.ts";

/** Comments become blanks, so that prose may name what code may not use; lines keep their numbers. */
export function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, " ");
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(^|[^:"'`\\])\/\/.*$/gm, (_, before: string) => before);
}

function forbid(name: string, applies: Rule["applies"], pattern: RegExp, instead: string): Rule {
  const check = ({ text }: SourceFile) =>
    withoutComments(text)
      .split("\n")
      .flatMap((line, index) => {
        const found = line.match(pattern)?.[0];
        return found === undefined ? [] : [`${index + 1}: ${found.trim()}: ${instead}`];
      });
  return { name, applies, check };
}

const exactness: Rule[] = [
  forbid(
    "no float functions",
    (path) => decidesBytes(path) && !isAssembly(path),
    /\bMath\.(exp|expm1|log|log2|log10|log1p|sqrt|cbrt|hypot|sin|cos|tan|sinh|cosh|tanh|pow)\b/,
    "use the integer tables of src/contract/luts.ts, integer roots, 31 - Math.clz32(x), or src/pipeline/logarithm.ts",
  ),
  forbid(
    // WebAssembly, unlike WGSL, fixes the bits of add, multiply, divide and sqrt; the rest is library code.
    "no float functions but roots in WebAssembly",
    (path) => isAssembly(path) && isTypeScript(path),
    /\bMathf\.\w+|\bMath\.(exp|expm1|log|log2|log10|log1p|cbrt|hypot|sin|cos|tan|sinh|cosh|tanh|pow)\b/,
    "use integer tables; of the functions only Math.sqrt (f64.sqrt) is exact",
  ),
  forbid(
    "no compressors of the runtime",
    decidesBytes,
    /\bBun\.(zstd|gzip|gunzip|deflate|inflate)\w*|\bnode:zlib\b/,
    "their bytes change from version to version, and an archive would with them; count with integers",
  ),
  forbid(
    "the runtime behind its seam",
    (path) => decidesBytes(path) && !isAssembly(path),
    /\bBun\.|\bBuffer\b|\bfrom "(node|bun):/,
    "what the language does not have is asked of src/platform/host.ts, so that fade can run on another runtime",
  ),
  forbid(
    "no chance",
    isExact,
    /\bMath\.random\b|\bcrypto\.getRandomValues\b/,
    "use the integer generator of src/contract",
  ),
  forbid(
    "no clocks",
    isExact,
    /\bDate\b|\bperformance\.now\b|\bBun\.nanoseconds\b/,
    "results may not depend on time; measure in src/cli, src/pipeline or src/bench",
  ),
  forbid(
    "no relaxed SIMD",
    isExact,
    /\brelaxed_\w+|\b[if](8x16|16x8|32x4|64x2)\.relaxed\w*/,
    "it differs between processors; use the plain SIMD operation",
  ),
  forbid("no f16", (path) => isExact(path) || isShader(path), /\bf16\b/, "it rounds; use packed int8 or i32"),
  forbid(
    "no float built-ins in shaders",
    isShader,
    /\b(exp|exp2|log|log2|sqrt|inverseSqrt|tanh|sinh|cosh|sin|cos|tan|pow|fma|normalize|length|distance)\s*\(/,
    "their bits differ between drivers; use the tables and integer helpers of shaders/",
  ),
  forbid(
    "no float division in shaders",
    isShader,
    /^(?=.*(\bf32\b|\bvec[234]f\b|[^\w.]\d+\.\d*|\d+(\.\d*)?f\b)).*\/.*$/,
    "division of floats has no fixed rounding; divide integers, or shift",
  ),
];

const manners: Rule[] = [
  forbid(
    "only the command line prints and exits",
    (path) => path.startsWith("src/") && !path.startsWith("src/cli/") && isTypeScript(path),
    /\bprocess\.exit\b|\bconsole\.\w+/,
    "throw an error, or return what is to be shown; src/cli speaks to people",
  ),
  {
    name: "nothing left for later",
    applies: (path) => isCode(path) && !isSample(path),
    check: ({ text }) =>
      text.split("\n").flatMap((line, index) => {
        const found = line.match(/\b(TODO|FIXME|XXX|HACK)\b/)?.[0];
        return found === undefined ? [] : [`${index + 1}: ${found}: do it, or open an issue`];
      }),
  },
  forbid(
    "every test runs",
    (path) => path.startsWith("test/") && isTypeScript(path) && !isSample(path),
    /\b(test|it|describe)(\.each\([^)]*\))?\.(only|skip|todo|if|skipIf|todoIf|failing)\b/,
    "tests run always and everywhere; what is missing makes them fail",
  ),
];

const shape: Rule[] = [
  {
    name: "modules are short",
    applies: isCode,
    check({ text }) {
      const lines = text.trimEnd().split("\n").length;
      return lines > MODULE_LINES_MAX ? [`1: ${lines} lines: split it, ${MODULE_LINES_MAX} are the most`] : [];
    },
  },
  {
    name: "lines are short",
    applies: isCode,
    check: ({ text }) =>
      text.split("\n").flatMap((line, index) => {
        const { length } = [...line];
        return length > LINE_LENGTH_MAX ? [`${index + 1}: ${length} characters: ${LINE_LENGTH_MAX} are the most`] : [];
      }),
  },
  {
    name: "functions are short",
    applies: isTypeScript,
    check: ({ text }) =>
      longFunctions(text).map(({ line, length }) => `${line}: a function of ${length} lines: split it`),
  },
  {
    name: "files say what they are",
    applies: isCode,
    check: ({ text }) =>
      /^(#!.*\n)?(\/\*\*|\/\/)\s*\S?/.test(text) ? [] : ["1: open with a paragraph that says what this file is for"],
  },
  {
    name: "shaders say what they compute",
    applies: isShader,
    check: ({ text }) => (/^\/\/ ?\S/.test(text) ? [] : ["1: open with a comment: the operation and its layout"]),
  },
];

/** By indentation, which the formatter makes reliable: from a line that opens a body to the brace that closes it. */
function longFunctions(text: string): { line: number; length: number }[] {
  const lines = text.split("\n");
  const opening =
    /^(\s*)((export |default |async |static |private |protected |override |get |set )*(function\b|[#\w]+\s*\().*\{)$/;
  const arrow = /^(\s*)(export )?(const|let) .*=>\s*\{$/;
  return lines.flatMap((line, index) => {
    const indent = (line.match(opening) ?? line.match(arrow))?.[1];
    if (indent === undefined || /^\s*(if|for|while|switch|catch|return|with|describe)\b/.test(line)) return [];
    const end = lines.findIndex((other, at) => at > index && other.startsWith(`${indent}}`));
    const length = end - index + 1;
    return length > FUNCTION_LINES_MAX ? [{ line: index + 1, length }] : [];
  });
}

export const RULES: readonly Rule[] = [...exactness, ...manners, ...shape];
