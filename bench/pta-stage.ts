import { execFileSync } from "node:child_process";
import { Child } from "./child.ts";
import { startDial } from "./dial.ts";
import { startL2tpnsTerminator } from "./l2tpns.ts";
import {
  ACCESS_DEVICE,
  LAC_ADDRESS,
  LNS_ADDRESS,
  type Network,
  namespaceOf,
  placeIn,
  SUBSCRIBER_DEVICE,
} from "./namespaces.ts";
import { compiled } from "./root.ts";
import { Site } from "./site.ts";
import type { TcpAnswer } from "./tcp.ts";
import { startTerminator, USER } from "./terminator.ts";

const START_MS = 30_000;
const DIALLED = "dial0";
export type TcpDirection = "up" | "down";

/**
 * A subscriber with a device of his own, whose PPPoE session the gateway terminates, and a far host behind it; and the
 * same with l2tpns in the gateway's place.
 */
export class PtaStage {
  readonly #site: Site;

  private constructor(site: Site) {
    this.#site = site;
  }

  static open(): Promise<PtaStage> {
    return Site.open(
      async (site) => {
        await startTerminator(site, "the gateway", { place: "lac", access: [ACCESS_DEVICE] });
        await startL2tpnsTerminator(site, [USER], { access: ACCESS_DEVICE });
        for (const network of ["own", "rival"] as const) await connect(site, network);
        return new PtaStage(site);
      },
      ["own", "rival"],
    );
  }

  /** Octets a second that one TCP connection carries, without its headers. */
  async tcp(network: Network, direction: TcpDirection, milliseconds: number): Promise<number> {
    const words = [process.execPath, compiled("bench/tcp"), direction, LNS_ADDRESS, `${milliseconds}`];
    const client = this.#site.run(
      new Child("the TCP client", placeIn(network, "subscribers"), words, { ipc: true }),
    );
    const answer = await client.ask<TcpAnswer>(undefined, milliseconds + START_MS);
    await client.stop("SIGKILL");
    this.#site.forget(client);
    if (answer.kind !== "done") throw new Error("the TCP client has not measured");
    return answer.octets / answer.seconds;
  }

  close(): Promise<void> {
    return this.#site.close();
  }
}

/** Routes, the far host and the subscriber. */
async function connect(site: Site, network: Network): Promise<void> {
  const inside = (role: "subscribers" | "lac" | "lns", ...words: string[]): void => {
    execFileSync("ip", ["netns", "exec", namespaceOf(placeIn(network, role)), ...words]);
  };
  inside("lac", "sysctl", "-qw", "net.ipv4.ip_forward=1");
  inside("lns", "ip", "route", "add", "100.64.0.0/10", "via", LAC_ADDRESS);
  const words = [process.execPath, compiled("bench/tcp"), "serve", LNS_ADDRESS];
  const server = site.run(new Child("the far host", placeIn(network, "lns"), words, { ipc: true }));
  await server.ask(undefined, START_MS);
  const called = { device: SUBSCRIBER_DEVICE, user: USER, count: 1, devices: true };
  const dial = startDial(site, placeIn(network, "subscribers"), called);
  await dial.nextLine((text) => text.startsWith('{"event":"up"'), START_MS);
  inside("subscribers", "ip", "route", "replace", LNS_ADDRESS, "dev", DIALLED);
}
