import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { PeerProgram } from "./catalogue.ts";

const PACKAGES: Readonly<Record<PeerProgram, { name: string; prepare: string }>> = {
  pppd: { name: "ppp", prepare: "vm/prepare.mjs" },
  "pppoe-server": { name: "pppoe", prepare: "vm/prepare.mjs" },
  xl2tpd: { name: "xl2tpd", prepare: "vm/prepare.mjs" },
  l2tpns: { name: "l2tpns", prepare: "l2tpns/prepare.mjs" },
};

/** The version of the Debian package that each peer was unpacked from: none of them is installed. */
export function peerVersions(): Record<PeerProgram, string> {
  const versions = Object.entries(PACKAGES).map(([peer, { name, prepare }]) => {
    const script = fileURLToPath(new URL(prepare, import.meta.url));
    const lines = execFileSync(process.execPath, [script], { encoding: "utf8" }).trim().split("\n");
    return [peer, JSON.parse(lines.at(-1)!).versions[name]];
  });
  return Object.fromEntries(versions);
}
