/**
 * Makes the captures in test/vectors/ again, with Debian's own peers:
 *
 *     npx vitest run --config test/interop/vm/captures/vitest.config.ts
 */

import { copyFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, it } from "vitest";
import { PeerVm } from "../../../support/peer-vm.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const vectors = fileURLToPath(new URL("../../../vectors/", import.meta.url));

describe.concurrent("Debian's peers are recorded", () => {
  let vm: PeerVm;

  beforeAll(async () => {
    vm = await PeerVm.boot();
    cpSync(here, join(vm.share, "captures"), { recursive: true });
  });

  afterAll(() => vm?.shutdown());

  for (const [script, mode] of [
    ["pppoe.sh", "pap"],
    ["pppoe.sh", "chap"],
    ["l2tp.sh", "plain"],
    ["l2tp.sh", "hidden"],
  ] as const) {
    const name = `${script.replace(".sh", "")}-${mode}.pcap`;
    it(name, async () => {
      await vm.mustRun(["bash", `captures/${script}`, mode, `${PeerVm.guestShare}/${name}`], {
        timeoutMs: 170_000,
      });
      copyFileSync(join(vm.share, name), join(vectors, name));
    });
  }
});
