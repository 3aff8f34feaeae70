import { loadConfigFile } from "../config/load.ts";
import type { HostMtus } from "../config/mtu-warnings.ts";
import { checkWarnings, formatWarnings } from "../config/warnings.ts";
import { hasNamespace, hasUnitHelper } from "../io/unit-namespace.ts";
import type { CommandContext } from "./process.ts";

/** `lacewing check`: mistakes are a ConfigError; what is only doubtful is told on standard error. */
export async function check(configPath: string, { stdout, stderr }: CommandContext): Promise<void> {
  const loaded = loadConfigFile(configPath);
  const host = await openHost();
  if (typeof host === "string") stderr.write(`${configPath}: this host's MTUs are not known: ${host}\n`);
  const known = typeof host === "string" ? undefined : host;
  const warnings = checkWarnings(loaded, known, { has: hasNamespace, hasHelper: hasUnitHelper() });
  known?.close();
  if (warnings.length > 0) stderr.write(`${formatWarnings(warnings)}\n`);
  stdout.write(`${configPath}: no mistakes${warnings.length > 0 ? ", some doubts" : ""}\n`);
}

/** What its links and routes say; the reason where they cannot be asked, as where the addon was not built. */
async function openHost(): Promise<(HostMtus & { close(): void }) | string> {
  try {
    const { openHostNetwork } = await import("../io/native-host-network.ts");
    const host = openHostNetwork();
    return {
      ofInterface: (name) => host.linkByName(name)?.mtuBytes,
      towards: (address) => host.mtuTowards(address),
      close: () => host.close(),
    };
  } catch (error) {
    return (error as Error).message;
  }
}
