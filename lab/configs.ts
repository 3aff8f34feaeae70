import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ADDRESSES, LAB_PREFIX } from "./network.ts";

export const SUBSCRIBER = { user: "alice@isp.example", password: "wonderland" } as const;

/** Where the lab's files are. Sockets live here too, so that two labs do not share one. */
export interface LabFiles {
  readonly directory: string;
  readonly lac: string;
  readonly lns: string;
  readonly lacSocket: string;
  readonly lnsSocket: string;
  readonly password: string;
  remove(): void;
}

/** Writes what a LAC and an LNS need, as an operator would, into a directory of their own. */
export function writeConfigs(): LabFiles {
  const directory = mkdtempSync(join(tmpdir(), `${LAB_PREFIX}${process.pid}-`));
  const file = (name: string, text: string, mode = 0o644): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode });
    return path;
  };
  const lacSocket = join(directory, "lac.sock");
  const lnsSocket = join(directory, "lns.sock");
  file("tunnel.secret", "lab-tunnel-secret\n", 0o600);
  file("users.yaml", `- name: ${SUBSCRIBER.user}\n  password: ${SUBSCRIBER.password}\n`, 0o600);
  return {
    directory,
    lacSocket,
    lnsSocket,
    password: file("subscriber.password", `${SUBSCRIBER.password}\n`, 0o600),
    lac: file(
      "lac.yaml",
      `name: lac
control: { socket: ${lacSocket} }
access:
  - interface: acc0
l2tp:
  listen: [{ address: ${ADDRESSES.lac} }]
  peers:
    - { name: lns, address: ${ADDRESSES.lns}, secret-file: tunnel.secret }
realms:
  isp.example: { lns: lns }
`,
    ),
    lns: file(
      "lns.yaml",
      `name: lns
control: { socket: ${lnsSocket} }
l2tp:
  listen: [{ address: ${ADDRESSES.lns} }]
  peers:
    - { name: lac, role: lac, host-name: lac, secret-file: tunnel.secret }
realms:
  isp.example: { terminate: subscribers }
units:
  subscribers:
    mode: device
    name: sub%d
    address: ${ADDRESSES.lnsInside}
    pool: ${ADDRESSES.pool}
    dns: [${ADDRESSES.farHost}]
users-file: users.yaml
`,
    ),
    remove() {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Removes the directories of a lab that was killed. */
export function removeConfigsOf(labId: number): void {
  for (const name of readdirSync(tmpdir()))
    if (name.startsWith(`${LAB_PREFIX}${labId}-`))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
}
