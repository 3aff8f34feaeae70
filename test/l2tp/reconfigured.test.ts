import { describe, expect, it } from "vitest";
import type { L2tpEndpointConfig } from "../../src/l2tp/config.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import type { L2tpOutput } from "../../src/l2tp/outputs.ts";
import { seededRandom } from "../support/seeded-random.ts";

const LAC = { address: "192.0.2.1", port: 1701, portKey: 0 };
const LNS = { address: "192.0.2.2", port: 1701, portKey: 0 };

function lacConfig(secret: string, more = {}): L2tpEndpointConfig {
  return { hostName: "lac", peers: [{ name: "lns", remote: LNS, secret, hideAvps: true, ...more }] };
}

function lnsConfig(secret: string, more = {}): L2tpEndpointConfig {
  return { hostName: "lns", peers: [{ name: "lac", accept: true, secret, ...more }] };
}

/** A LAC and an LNS, what one sends is at once what the other has received. */
class Two {
  readonly lac = new L2tpEndpoint(lacConfig("first secret"), seededRandom(1));
  readonly lns = new L2tpEndpoint(lnsConfig("first secret"), seededRandom(2));
  readonly events: L2tpOutput[] = [];

  deliver(from: "lac" | "lns", outputs: readonly L2tpOutput[]): void {
    for (const output of outputs) {
      if (output.kind !== "send") this.events.push(output);
      else if (from === "lac") this.deliver("lns", this.lns.receive(0, LAC, output.datagram));
      else this.deliver("lac", this.lac.receive(0, LNS, output.datagram));
    }
  }

  /** A tunnel of the LAC's. */
  open(): number {
    const { tunnel, outputs } = this.lac.openTunnel(0, "lns");
    this.deliver("lac", outputs);
    return tunnel!;
  }

  /** Places a call; the calling number that the LNS sees, which is hidden on the way. */
  call(tunnel: number): string | undefined {
    const before = this.events.length;
    const call = { callSerialNumber: 1, callingNumber: "02:00:00:00:00:01" };
    this.deliver("lac", this.lac.placeCall(0, tunnel, call).outputs);
    // what is only acknowledged is so after a moment; the window is small at first
    this.deliver("lns", this.lns.timeout(900));
    const offered = this.events.slice(before).find(({ kind }) => kind === "call-offered");
    return offered?.kind === "call-offered" ? offered.call.callingNumber : undefined;
  }
}

describe("an endpoint that is configured anew", () => {
  it("keeps the secret in tunnels that stand, and opens others with the new one", () => {
    const two = new Two();
    const old = two.open();
    expect(two.call(old)).toBe("02:00:00:00:00:01");
    // one end is configured before the other, and perhaps twice
    two.lac.reconfigure(lacConfig("second secret"));
    expect(two.call(old)).toBe("02:00:00:00:00:01");
    two.lac.reconfigure(lacConfig("third secret"));
    two.lns.reconfigure(lnsConfig("third secret"));
    expect(two.call(old)).toBe("02:00:00:00:00:01");
    const fresh = two.open();
    expect(two.call(fresh)).toBe("02:00:00:00:00:01");
    // a tunnel that is gone leaves nothing behind for who gets its id
    two.deliver("lac", two.lac.closeTunnel(0, old, { result: 1 }));
    expect(two.call(fresh)).toBe("02:00:00:00:00:01");
  });

  it("goes by other policies in tunnels that stand", () => {
    const two = new Two();
    const tunnel = two.open();
    two.lac.reconfigure(lacConfig("first secret", { maxSessions: 1 }));
    expect(two.call(tunnel)).toBeDefined();
    expect(two.lac.placeCall(0, tunnel, { callSerialNumber: 2 }).session).toBeUndefined();
    two.lns.reconfigure({ hostName: "lns", peers: [] });
    const { outputs } = two.lac.openTunnel(0, "lns");
    two.deliver("lac", outputs);
    expect(
      two.events
        .slice(-2)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(["tunnel-down", "tunnel-refused"]);
  });

  it("is as it was when the configuration contradicts itself", () => {
    const two = new Two();
    const tunnel = two.open();
    expect(() => two.lac.reconfigure(lacConfig(""))).toThrow(/need a secret/);
    expect(two.call(tunnel)).toBe("02:00:00:00:00:01");
  });
});
