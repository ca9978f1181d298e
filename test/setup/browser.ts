/**
 * A headless Chromium for tests of what people see, driven through its debugging protocol. It comes out of the npm
 * package @sparticuz/chromium, with the libraries and fonts that it needs, so no system has to have one.
 *
 * FADE_TEST_BROWSER names another Chromium, or is "none": then tests that need one are not registered. Anything else
 * that is missing makes them fail.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { CACHE, chromiumPackage, makeFolder, tarEntries } from "./swiftshader.ts";

const DEMANDED = process.env.FADE_TEST_BROWSER ?? "";

/** For describe.each: empty only if the environment says that there shall be none. */
export const testBrowsers: readonly string[] = DEMANDED === "none" ? [] : [DEMANDED === "" ? "chromium" : DEMANDED];

const FLAGS = [
  ...["--headless", "--no-sandbox", "--no-zygote", "--disable-gpu", "--hide-scrollbars", "--no-first-run"],
  // It should talk to nobody but this test.
  ...["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ...["--font-render-hinting=none", "--remote-debugging-port=0"],
];
/** With these it has WebGPU, by the SwiftShader that comes with it. */
const WITH_WEBGPU = [
  ...["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-unsafe-swiftshader"],
  ...["--enable-features=Vulkan", "--use-vulkan=swiftshader"],
];
const START_SECONDS = 30;

interface Program {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Unpacks it once. @throws Error saying what to do where the package has none for this system */
function program(): Program {
  if (DEMANDED !== "") return { path: DEMANDED, env: {} };
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error("there is no Chromium for this system in npm: name one in FADE_TEST_BROWSER, or say none");
  }
  const { bin, version } = chromiumPackage();
  const folder = join(CACHE, `chromium-${version}`);
  const unpacked = (name: string) => brotliDecompressSync(readFileSync(join(bin, name)));
  if (!existsSync(folder)) {
    makeFolder(folder, (unfinished) => {
      writeFileSync(join(unfinished, "chromium"), unpacked("chromium.br"), { mode: 0o755 });
      for (const archive of ["swiftshader.tar.br", "al2023.tar.br", "fonts.tar.br"]) {
        for (const { name, bytes } of tarEntries(unpacked(archive))) {
          if (name.endsWith("/")) continue;
          const part = /\.ttf$/.test(name) ? join("fonts", basename(name)) : basename(name);
          mkdirSync(dirname(join(unfinished, part)), { recursive: true });
          writeFileSync(join(unfinished, part), bytes, { mode: 0o755 });
        }
      }
      const fonts = `<dir>${join(folder, "fonts")}</dir><cachedir>${join(folder, "font-cache")}</cachedir>`;
      writeFileSync(join(unfinished, "fonts.conf"), `<?xml version="1.0"?><fontconfig>${fonts}</fontconfig>`);
    });
  }
  const env = { LD_LIBRARY_PATH: folder, FONTCONFIG_FILE: join(folder, "fonts.conf") };
  return { path: join(folder, "chromium"), env };
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** One page of a browser of its own. */
export class TestPage {
  readonly #socket: WebSocket;
  readonly #close: () => void;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #events = new Map<string, () => void>();
  #calls = 0;

  private constructor(socket: WebSocket, close: () => void) {
    this.#socket = socket;
    this.#close = close;
    socket.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
      else if (answer.method !== undefined) this.#events.get(answer.method)?.();
    });
  }

  /** @param hasGpu whether WebGPU is there @throws Error with the browser's words if it does not start */
  static async open(hasGpu = false): Promise<TestPage> {
    const { path, env } = program();
    const profile = mkdtempSync(join(tmpdir(), "fade-test-"));
    const child = Bun.spawn(
      [path, ...FLAGS, ...(hasGpu ? WITH_WEBGPU : []), `--user-data-dir=${profile}`, "about:blank"],
      {
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, ...env, HOME: profile },
      },
    );
    const close = () => {
      child.kill("SIGKILL");
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    };
    try {
      const address = await debuggerAddress(child.stderr);
      const pages = (await (await fetch(`http://${address}/json/list`)).json()) as Record<string, string>[];
      const socket = new WebSocket(pages.find(({ type }) => type === "page")?.webSocketDebuggerUrl ?? "");
      await new Promise((resolve, reject) => {
        socket.addEventListener("open", resolve);
        socket.addEventListener("error", () => reject(new Error("the browser does not answer")));
      });
      return new TestPage(socket, close);
    } catch (error) {
      close();
      throw error;
    }
  }

  async #call(method: string, parameters: object = {}): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params: parameters }));
    const { result, error } = await answered;
    this.#waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Shows a file in a window of this many pixels, and waits until it is drawn. */
  async show(path: string, width: number, height: number): Promise<void> {
    await this.visit(Bun.pathToFileURL(path).href, width, height);
  }

  /** The same, of an address. @param scheme which colours the reader likes */
  async visit(url: string, width: number, height: number, scheme: "light" | "dark" = "light"): Promise<void> {
    const size = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.#call("Emulation.setDeviceMetricsOverride", size);
    await this.#call("Page.enable");
    const loaded = new Promise<void>((resolve) => this.#events.set("Page.loadEventFired", resolve));
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.#call("Emulation.setEmulatedMedia", { features });
    await this.#call("Page.navigate", { url });
    await loaded;
  }

  /** Presses and releases a key, by its name. */
  async press(key: string, code: number): Promise<void> {
    const facts = { key, code: key, windowsVirtualKeyCode: code };
    await this.#call("Input.dispatchKeyEvent", { type: "keyDown", ...facts, ...(key === "Enter" && { text: "\r" }) });
    await this.#call("Input.dispatchKeyEvent", { type: "keyUp", ...facts });
  }

  /** The value of an expression or its promise, as JSON can carry it. @throws Error with the page's exception */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = (await this.#call("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true })) as {
      result: { value: T };
      exceptionDetails?: { exception?: { description?: string } };
    };
    const thrown = answer.exceptionDetails;
    if (thrown) throw new Error(thrown.exception?.description ?? "the page threw");
    return answer.result.value;
  }

  /** The whole page as PNG. */
  async screenshot(): Promise<Uint8Array> {
    const shot = { format: "png", captureBeyondViewport: true };
    return Buffer.from(((await this.#call("Page.captureScreenshot", shot)) as { data: string }).data, "base64");
  }

  close(): void {
    this.#socket.close();
    this.#close();
  }
}

/** Host and port, which the browser writes when it is ready. */
async function debuggerAddress(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stderr.getReader();
  const timer = setTimeout(() => void reader.cancel(), START_SECONDS * 1000);
  let said = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the browser does not start: ${said.slice(-500)}`);
      said += new TextDecoder().decode(value);
      const address = /ws:\/\/([^/\s]+)\//.exec(said)?.[1];
      if (address) return address;
    }
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}
