/**
 * Makes the page that compresses and restores files: `bun scripts/web.ts [--out DIR]` writes all of it to DIR (default:
 * packages/web, which git ignores), for any server of static files. `--serve PORT` serves it on this machine alone,
 * isolated, so that threads may share memory.
 */
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundleLibrary } from "../tools/library.ts";
import { optionsOf } from "./shared.ts";

const ROOT = join(import.meta.dir, "..");
const LIBRARY = "fade";

/** With these a page is isolated, and its threads may share memory. */
export const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
} as const;

/** @param folder is made anew @throws Error with the bundler's words */
export async function makePage(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await bundleLibrary("browser", join(folder, LIBRARY));
  const result = await Bun.build({
    entrypoints: [join(ROOT, "web", "page.ts")],
    outdir: folder,
    target: "browser",
    plugins: [
      {
        name: "the library beside the page",
        setup: ({ onResolve }) =>
          void onResolve({ filter: /src\/index\.ts$/ }, () => ({ path: `./${LIBRARY}/index.js`, external: true })),
      },
    ],
  });
  for (const message of result.logs) console.error(message);
  if (!result.success) throw new Error("the page could not be bundled");
  for (const name of ["index.html", "page.css"]) copyFileSync(join(ROOT, "web", name), join(folder, name));
}

/** Serves a folder on this machine alone. @param onRequest told of each path @returns where, and what ends it */
export function servePage(
  folder: string,
  port: number,
  headers: Readonly<Record<string, string>>,
  onRequest: (path: string) => void = () => {},
): { readonly url: string; stop(): void } {
  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    fetch: async ({ url }) => {
      const path = new URL(url).pathname.replace(/\/$/, "/index.html");
      onRequest(path);
      const file = Bun.file(join(folder, path));
      if (!(await file.exists())) return new Response("there is no such file", { status: 404, headers });
      return new Response(file, { headers });
    },
  });
  return { url: `http://127.0.0.1:${server.port}/`, stop: () => void server.stop(true) };
}

if (import.meta.main) {
  const values = optionsOf({}, ["out", "serve"]);
  const folder = resolve(values.out ?? join(ROOT, "packages", "web"));
  await makePage(folder);
  console.log(folder);
  if (values.serve !== undefined) console.log(servePage(folder, Number(values.serve), ISOLATION).url);
}
