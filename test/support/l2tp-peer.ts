import type { L2tpPeerConfig } from "../../src/l2tp/config.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import type { L2tpOutput } from "../../src/l2tp/outputs.ts";
import { parseAvps } from "../../src/wire/l2tp-avp.ts";
import { controlBody, notL2tpControl } from "../../src/wire/l2tp-control-header.ts";
import type { Node, World } from "./world.ts";

/** Who speaks UDP in a world. */
type Host = Pick<Node, "address" | "onDatagram" | "receiveDatagram">;

/** An L2TP machine without a gateway around it: a test says what it does, and sees what it is told. */
export class L2tpPeer implements Host {
  readonly address: string;
  /** What it has been told, what was to be sent left out. */
  readonly heard: L2tpOutput[] = [];
  /** AVPs by message as they came, by "vendor/type": to see what was hidden on the wire. */
  readonly hiddenOnWire = new Set<string>();
  /** Data messages that came. */
  readonly data: Uint8Array[] = [];
  onDatagram: Host["onDatagram"] = () => {};
  readonly #endpoint: L2tpEndpoint;
  readonly #world: World;
  readonly #scheduler;
  readonly #remote: string | undefined;

  /** `remote`: whom it may call. */
  constructor(
    world: World,
    address: string,
    hostName: string,
    policy: Omit<L2tpPeerConfig, "name" | "remote">,
    remote?: string,
  ) {
    this.#world = world;
    this.address = address;
    this.#remote = remote;
    this.#endpoint = new L2tpEndpoint(
      {
        hostName,
        peers: [
          {
            name: "peer",
            ...policy,
            ...(remote !== undefined && { remote: { address: remote, port: 1701, portKey: 0 } }),
          },
        ],
      },
      world.random(),
    );
    this.#scheduler = world.scheduler();
  }

  deadline(): number {
    return this.#endpoint.deadline();
  }

  timeout(now: number): void {
    this.do((endpoint) => endpoint.timeout(now));
  }

  receiveDatagram(from: string, datagram: Uint8Array): void {
    if (notL2tpControl(datagram) !== undefined) {
      this.data.push(datagram);
      return;
    }
    for (const { hidden, vendorId, type } of parseAvps(controlBody(datagram)) ?? [])
      if (hidden) this.hiddenOnWire.add(`${vendorId}/${type}`);
    this.do((endpoint, now) => endpoint.receive(now, { address: from, port: 1701, portKey: 0 }, datagram));
  }

  do(act: (endpoint: L2tpEndpoint, now: number) => readonly L2tpOutput[]): void {
    for (const output of act(this.#endpoint, this.#world.clock.now())) {
      if (output.kind === "send") this.onDatagram(output.to.address, output.to.port, output.datagram);
      else this.heard.push(output);
    }
    this.#scheduler.update(this);
  }

  /** All that it has heard of one kind. */
  all<Kind extends L2tpOutput["kind"]>(kind: Kind): Extract<L2tpOutput, { kind: Kind }>[] {
    return this.heard.filter((output): output is Extract<L2tpOutput, { kind: Kind }> => output.kind === kind);
  }

  /** The one thing of a kind that it has heard; throws when there is another number of them. */
  one<Kind extends L2tpOutput["kind"]>(kind: Kind): Extract<L2tpOutput, { kind: Kind }> {
    const [first, ...more] = this.all(kind);
    if (first === undefined || more.length > 0)
      throw new Error(`${kind} heard ${first === undefined ? "never" : `${more.length + 1} times`}`);
    return first;
  }

  /** Sends a PPP frame in a call that has been accepted. */
  sendPpp(frame: Uint8Array): void {
    const { remoteTunnelId: tunnel, remoteSessionId: session } = this.one("call-accepted");
    const header = [0, 2, tunnel >>> 8, tunnel & 0xff, session >>> 8, session & 0xff, 0xff, 3];
    const remote = this.#remote ?? "";
    this.onDatagram(remote, 1701, Uint8Array.of(...header, ...frame));
  }

  /** Opens a tunnel, and returns its id. */
  openTunnel(): number {
    let id: number | undefined;
    this.do((endpoint, now) => {
      const { tunnel, outputs } = endpoint.openTunnel(now, "peer");
      id = tunnel;
      return outputs;
    });
    if (id === undefined) throw new Error("no tunnel");
    return id;
  }

  /** Places a call, and returns its session id. */
  placeCall(tunnel: number, call: Parameters<L2tpEndpoint["placeCall"]>[2]): number {
    let id: number | undefined;
    this.do((endpoint, now) => {
      const { session, outputs } = endpoint.placeCall(now, tunnel, call);
      id = session;
      return outputs;
    });
    if (id === undefined) throw new Error("no session");
    return id;
  }
}

/** Joins whoever speaks UDP; a datagram to anyone else is lost, as are those from and to the `dead`. */
export function wireHosts(world: World, hosts: readonly Host[], dead: ReadonlySet<string> = new Set()): void {
  for (const from of hosts)
    from.onDatagram = (to, _udpPort, datagram) => {
      const target = hosts.find(({ address }) => address === to);
      if (target === undefined || dead.has(to) || dead.has(from.address)) return;
      world.carry(() => target.receiveDatagram(from.address, datagram));
    };
}
