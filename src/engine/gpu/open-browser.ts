/** The GPU engine in a browser, where the page or its worker has WebGPU: in what browsers call a secure context. */
import { offeredParts } from "./offered.ts";

/** What the types of the program's own runtime do not have. */
const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };

export const gpuParts = offeredParts(async () => navigator?.gpu);
