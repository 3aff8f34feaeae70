import { type Raw, rawList, rawMap, rawText } from "./raw.ts";
import { where } from "./schema-problems.ts";
import type { Path, Problem } from "./yaml-source.ts";

/** What must hold among access interfaces, L2TP addresses and peers beyond the kind of each value. */
export function checkPeers(config: Raw): Problem[] {
  const l2tp = rawMap(config.l2tp);
  const peers = rawList(l2tp.peers).map(rawMap);
  const listen = rawList(l2tp.listen).map(rawMap);
  const problems = [
    ...repeated(["access"], "interface", rawList(config.access).map(rawMap), (each) =>
      rawText(each.interface),
    ),
    ...repeated(["l2tp", "listen"], "address", listen, (each) => {
      const address = rawText(each.address);
      return (
        address && `${address} port ${each.port ?? 1701}${each.interface ? ` on ${each.interface}` : ""}`
      );
    }),
    ...repeated(["l2tp", "peers"], "name", peers, (each) => rawText(each.name)),
    ...repeated(["l2tp", "peers"], "name", peers, identity),
    ...peers.flatMap((peer, i) => checkPeer(["l2tp", "peers", i], peer, listen)),
  ];
  if (peers.length > 0 && listen.length === 0)
    problems.push({
      path: ["l2tp"],
      at: "key",
      text: "l2tp: listen is missing: peers are spoken with from a local address",
    });
  return problems;
}

/** What a peer that calls us is told apart by; undefined for a peer that never does. */
function identity(peer: Raw): string | undefined {
  if (peer.role !== "lac" && peer.role !== "both") return undefined;
  const address = rawText(peer.address);
  const hostName = rawText(peer["host-name"]);
  if (address === undefined && hostName === undefined) return "the peer without address and host-name";
  return `the peer with ${[address && `address ${address}`, hostName && `host-name ${hostName}`].filter(Boolean).join(" and ")}`;
}

function repeated(
  path: Path,
  key: string,
  items: readonly Raw[],
  nameOf: (item: Raw) => string | undefined,
): Problem[] {
  const seen = new Map<string, number>();
  return items.flatMap((item, i): Problem[] => {
    const name = nameOf(item);
    const first = name === undefined ? undefined : seen.get(name);
    if (name !== undefined && first === undefined) seen.set(name, i);
    if (first === undefined) return [];
    const here = [...path, i, key];
    return [
      {
        path: here,
        at: "value",
        text: `${where([...path, i])}${name} is there twice, first as ${where([...path, first]).slice(0, -2)}`,
      },
    ];
  });
}

function checkPeer(path: Path, peer: Raw, listen: readonly Raw[]): Problem[] {
  const problems: Problem[] = [];
  const report = (key: string, text: string, about = path) =>
    problems.push({
      path: [...path, key],
      at: key in peer ? "value" : "key",
      text: `${where(about)}${text}`,
    });
  const reportValue = (key: string, text: string) => report(key, text, [...path, key]);
  const hasSecret = "secret" in peer || "secret-file" in peer;
  if ("secret" in peer && "secret-file" in peer)
    report("secret", "secret and secret-file are both there; allowed: one of them");
  if (peer["hide-avps"] === true && !hasSecret)
    report("hide-avps", "hide-avps needs a secret or a secret-file");
  if (!("address" in peer) && peer.role !== "lac")
    report("address", `address is missing: we call a peer with the role ${peer.role ?? "lns"}`);
  if (peer["udp-checksum"] === false && rawText(peer.address)?.includes(":"))
    reportValue("udp-checksum", "UDP over IPv6 always has checksums; allowed: true");
  if (peer["tie-breaker"] === true && typeof peer["max-tunnels"] === "number" && peer["max-tunnels"] > 1)
    reportValue("max-tunnels", "a tie-breaker asks for a single tunnel; allowed: 1");
  if (peer.sequencing === "required" && peer.role === "lac")
    reportValue(
      "sequencing",
      "it is our LAC: Sequencing Required is its to send; allowed: never, follow, always",
    );
  if (peer.sequencing === "always" && (peer.role ?? "lns") === "lns")
    reportValue(
      "sequencing",
      "we are its LAC; allowed: never, follow, or required, by which we ask for them",
    );
  const source = rawText(peer["source-address"]);
  const address = rawText(peer.address);
  if (source === undefined) return problems;
  if (address !== undefined && source.includes(":") !== address.includes(":"))
    reportValue("source-address", `read ${source}, but the peer's address is of the other IP version`);
  const any = source.includes(":") ? "::" : "0.0.0.0";
  if (!listen.some((each) => each.address === source || each.address === any))
    reportValue(
      "source-address",
      `read ${source}; allowed: an address of l2tp.listen, where ${any} is every one`,
    );
  return problems;
}
