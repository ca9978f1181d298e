/**
 * Options that zstd, xz, gzip, bzip2, pigz and brotli have and fade has not, because hands and scripts type them. Each
 * works, where fade has the same by another name or does it anyhow, or else says in one line what there is instead.
 */

export interface ForeignOption {
  /** Long names, without dashes, and single letters. */
  readonly names: readonly string[];
  /** Whether a value goes with it: in the next word or attached; attached only; attached if at all. */
  readonly value?: "needed" | "attached" | "optional";
  /** The next word is a value only if it is one of these, because programs differ in whether there is one. */
  readonly values?: readonly string[];
  /** What it comes to: an option of fade's by its long name, with the foreign value unless another one is given. */
  readonly means?: { readonly name: string; readonly value?: string };
  /** Why it needs nothing done: it is accepted. */
  readonly anyhow?: string;
  /** What fade has in its place: a hint. */
  readonly instead?: string;
}

export const FOREIGN_OPTIONS: readonly ForeignOption[] = [
  { names: ["fast"], value: "optional", means: { name: "level", value: "1" } },
  { names: ["best", "max"], means: { name: "level", value: "9" } },
  { names: ["single-thread"], means: { name: "threads", value: "1" } },
  { names: ["processes", "p"], value: "needed", means: { name: "threads" } },
  {
    names: ["memlimit", "memlimit-compress", "memlimit-decompress"],
    value: "needed",
    means: { name: "memory" },
  },
  { names: ["ultra"], anyhow: "all levels are allowed" },
  {
    names: ["check", "C"],
    value: "optional",
    values: ["none", "crc32", "crc64", "sha256"],
    anyhow: "checksums are always there",
  },
  { names: ["no-name", "n"], anyhow: "archives hold no names" },
  { names: ["auto-threads"], value: "attached", anyhow: "all processors are used" },
  { names: ["size-hint"], value: "attached", anyhow: "a length that is known is used, and none is guessed" },
  { names: ["asyncio", "no-asyncio"], anyhow: "reading and writing never wait for each other" },
  { names: ["content-size"], anyhow: "a length that is known is in the archive" },
  { names: ["mmap-dict", "no-mmap-dict"], anyhow: "how a prior is read changes nothing" },
  {
    names: ["dictID"],
    value: "optional",
    instead: "a prior's hash is its number: fade -l shows what archives begin with",
  },
  { names: ["no-dictID"], instead: "archives always say which prior they begin with" },
  { names: ["zstd"], value: "optional", instead: "levels are -1 to -9; -B, --streams and --repeats set the rest" },
  {
    names: ["no-content-size"],
    instead: "an archive of a pipe does not tell its length at its beginning: cat FILE | fade",
  },
  { names: ["show-default-cparams"], instead: "fade -lv shows the model of an archive, fade bench what levels cost" },
  {
    names: ["row-match-finder", "no-row-match-finder", "compress-literals", "no-compress-literals", "force-compress"],
    instead: "a level is all there is to choose: -1 to -9",
  },
  { names: ["jobsize", "overlap"], value: "needed", instead: "-B SIZE are the bytes in a block, --streams its lanes" },
  { names: ["priority"], value: "needed", instead: "nice and ionice start programs that give way to others" },
  { names: ["trace"], value: "needed", instead: "-v says more of what is done" },
  { names: ["extreme"], instead: "-9 is the smallest level" },
  { names: ["quality"], value: "needed", instead: "levels are -1 (fast) to -9 (small)" },
  { names: ["adapt"], instead: "a level stays what it is; -1 is the fastest" },
  { names: ["long"], value: "optional", instead: "repeats are found as far apart as a block is long: -B SIZE" },
  { names: ["lgwin", "w"], value: "needed", instead: "repeats are found as far apart as a block is long: -B SIZE" },
  { names: ["blocksize"], value: "needed", instead: "-B SIZE are the bytes in a block" },
  {
    names: ["target-compressed-block-size"],
    value: "needed",
    instead: "-B SIZE are the plain bytes in a block",
  },
  {
    names: ["rsyncable", "rsync", "R"],
    instead: "every byte depends on all before it: send the plain file, or the archives of --shard",
  },
  { names: ["format", "F"], value: "needed", instead: "fade reads and writes archives of its own only" },
  { names: ["suffix", "S"], value: "needed", instead: "archives end in .fade; -o names any output" },
  { names: ["name", "N"], instead: "archives hold no names; -o names the output" },
  { names: ["exclude-compressed"], instead: "what looks compressed is stored, and grows by a few bytes" },
  { names: ["pass-through"], instead: "what is no archive is an error; cat passes it through" },
  { names: ["stream-size"], value: "needed", instead: "the length of a pipe need not be known" },
  { names: ["robot"], instead: "--json is for programs" },
  { names: ["files", "files0"], value: "attached", instead: "--filelist FILE names files, one a line or by NUL" },
  { names: ["small", "s"], instead: "-M SIZE bounds the memory, -B SIZE makes blocks smaller" },
  {
    names: ["lzma1", "lzma2", "x86", "arm", "arm64", "delta"],
    value: "optional",
    instead: "there are no filters: the model finds out what data are",
  },
];

const byName = new Map(FOREIGN_OPTIONS.flatMap((option) => option.names.map((name) => [name, option] as const)));

/** @param name without dashes: a long name or a letter */
export function findForeign(name: string): ForeignOption | undefined {
  return byName.get(name);
}
