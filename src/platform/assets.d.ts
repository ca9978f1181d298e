/**
 * Files that are embedded by an import attribute: shaders as their text, WebAssembly, priors and their strings as a
 * path to read them from.
 */
declare module "*.wgsl" {
  const text: string;
  export default text;
}

declare module "*.wasm" {
  const path: string;
  export default path;
}

declare module "*.prior" {
  const path: string;
  export default path;
}

declare module "*.strings" {
  const path: string;
  export default path;
}

declare module "webgpu/dist/*.node" {
  const path: string;
  export default path;
}
