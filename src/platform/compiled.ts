/** Whether this is the executable that build.ts makes. */

/** Set to true by build.ts; not defined when running from source. */
declare const FADE_COMPILED: boolean | undefined;

/** True inside an executable made by build.ts. */
export const isCompiled = typeof FADE_COMPILED !== "undefined" && FADE_COMPILED;
