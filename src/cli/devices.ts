/** `fade devices`: what could run the network on this machine, best first as --engine auto sees it. */
import { EngineUnavailableError } from "../engine/engine.ts";
import type { AdapterFacts, EngineParts } from "../engine/registry.ts";
import { printLine } from "./io.ts";
import type { Session } from "./session.ts";
import { SAYS } from "./settings.ts";

interface Row {
  readonly engine: string;
  readonly device: string;
  readonly note: string;
}

export async function listDevices(session: Session, parts: EngineParts): Promise<void> {
  const { io, settings } = session;
  const adapters = await findAdapters(session, parts);
  const gpu = (adapter: AdapterFacts): Row => ({
    engine: "gpu",
    device: adapter.name,
    note: adapter.isSoftware ? "software" : "hardware",
  });
  const rows: Row[] = [
    ...adapters.filter((adapter) => !adapter.isSoftware).map(gpu),
    ...(parts.createCpuEngine ? [{ engine: "cpu", device: "WebAssembly", note: `${settings.threads} threads` }] : []),
    ...adapters.filter((adapter) => adapter.isSoftware).map(gpu),
    { engine: "reference", device: "TypeScript", note: "slow, for tests and as a last resort" },
  ];
  if (settings.json) {
    for (const row of rows) await printLine(io, JSON.stringify(row));
    return;
  }
  const width = (column: "engine" | "device") => Math.max(...rows.map((row) => row[column].length));
  for (const { engine, device, note } of rows) {
    await printLine(io, `${engine.padEnd(width("engine"))}  ${device.padEnd(width("device"))}  ${note}`);
  }
}

/** Without WebGPU there are none, and whoever looks for one is told why. */
async function findAdapters(session: Session, parts: EngineParts): Promise<readonly AdapterFacts[]> {
  try {
    return await parts.listAdapters();
  } catch (error) {
    if (!(error instanceof EngineUnavailableError)) throw error;
    session.say(SAYS.results, `fade: no GPU can be used: ${error.message}`);
    session.say(SAYS.results, `fade: hint: ${error.hint}`);
    return [];
  }
}
