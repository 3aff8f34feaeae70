import { MemoryDataplane } from "../../../src/dataplane/memory/engine.ts";
import { formatIpAddress } from "../../../src/wire/ip-address.ts";
import { IPV4_SOURCE } from "../../../src/wire/ipv4.ts";
import { udpPacket } from "../frames.ts";
import type { Rig } from "../rig.ts";

const HOST_PORT = 5000;

/** A memory engine with a world of arrays. Everything has happened when a call returns, or at the latest a tick later. */
export async function memoryRig(): Promise<Rig> {
  const dataplane = new MemoryDataplane();
  let hook: Parameters<Rig["onPunt"]>[0] = () => {};
  dataplane.onPunt((punt) => {
    rig.punts.push(punt);
    hook(punt);
  });
  const access = await dataplane.openPort({ kind: "ethernet", ifindex: 1, name: "acc0", mtuBytes: 1500 });
  const tunnel = await dataplane.openPort({ kind: "udp", address: "192.0.2.1", udpPort: 1701 });
  const rig: Rig = {
    dataplane,
    access,
    tunnel,
    gatewayMac: Uint8Array.of(2, 0, 0, 0, 0, 0xac),
    remotes: ["192.0.2.2", "192.0.2.3"],
    remotePort: 1701,
    unitAddress: "198.51.100.1",
    subscriberAddresses: ["198.51.100.2", "198.51.100.3", "198.51.100.4"],
    unitName: "unit0",
    punts: [],
    frames: [],
    datagrams: [],
    hostReceived: [],
    onPunt(receiver) {
      hook = receiver;
    },
    async openHost() {
      return HOST_PORT;
    },
    hostSend(to, payload) {
      dataplane.receivePacket(1, udpPacket(rig.unitAddress, to, HOST_PORT, 4000, payload));
    },
    fromSubscriber(frame) {
      dataplane.receiveFrame(access, frame);
    },
    fromRemote(address, datagram) {
      dataplane.receiveDatagram(tunnel, { address, udpPort: rig.remotePort }, datagram);
    },
    passTime: (ms) => dataplane.passTime(ms),
    async until(what, condition) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!condition()) throw new Error(`never came: ${what}`);
    },
    close: () => dataplane.close(),
  };
  dataplane.onTransmit((transmission) => {
    if (transmission.kind === "frame") rig.frames.push(transmission.frame);
    else if (transmission.kind === "datagram") {
      const { address, datagram } = transmission;
      rig.datagrams.push({ address, datagram });
    } else {
      const { packet } = transmission;
      const from = formatIpAddress(packet.subarray(IPV4_SOURCE, IPV4_SOURCE + 4));
      rig.hostReceived.push({ from, payload: packet.slice(28) });
    }
  });
  return rig;
}
