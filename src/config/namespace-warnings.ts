/** Where units are to be in network namespaces, and will hardly get there. */

import type { LoadedConfig } from "./load.ts";
import type { Warning } from "./warnings.ts";

/** What this host has. */
export interface HostNamespaces {
  /** Whether there is a named network namespace (ip netns). */
  has(netns: string): boolean;
  /** Whether the helper that enters them for the service has a socket. */
  readonly hasHelper: boolean;
}

export function namespaceWarnings({ config }: LoadedConfig, host?: HostNamespaces): readonly Warning[] {
  if (host === undefined) return [];
  return [...config.units].flatMap(([name, { netns }]): Warning[] => {
    if (netns === undefined) return [];
    const at = { path: ["units", name, "netns"], at: "value" } as const;
    const warnings: Warning[] = [];
    if (!host.has(netns))
      warnings.push({ ...at, text: `this host has no network namespace ${netns}: ip netns add ${netns}` });
    if (!host.hasHelper)
      warnings.push({
        ...at,
        text: "the helper that enters network namespaces for the service does not run (systemctl enable --now lacewing-units.socket); only a gateway with CAP_SYS_ADMIN does without",
      });
    return warnings;
  });
}
