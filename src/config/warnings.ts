/** What is allowed in a configuration, and will hardly do what its author wants. */

import type { Destination, L2tpPeerConfig, UnitConfig } from "./config.ts";
import type { LoadedConfig } from "./load.ts";
import { type HostMtus, mtuWarnings } from "./mtu-warnings.ts";
import { type HostNamespaces, namespaceWarnings } from "./namespace-warnings.ts";
import { destinations } from "./placed-destinations.ts";
import { where } from "./schema-problems.ts";
import { formatProblems, type Path, type PlacedProblem } from "./yaml-source.ts";

/** What a warning is about; the text is for people. */
export interface Warning {
  readonly path: Path;
  /** Whether the key or the value of `path` is meant. */
  readonly at: "key" | "value";
  readonly text: string;
}

/** Octets below which a shared secret can be found by trying. */
const SHORT_SECRET_BYTES = 8;

/**
 * Everything that is doubtful about a configuration, in the order of the file. `host`: what the links and routes of this
 * host say of MTUs, where that is known. `namespaces`: what it has of them.
 */
export function checkWarnings(
  loaded: LoadedConfig,
  host?: HostMtus,
  namespaces?: HostNamespaces,
): readonly PlacedProblem[] {
  const { source } = loaded;
  const warnings = [
    ...peerWarnings(loaded),
    ...groupWarnings(loaded),
    ...destinationWarnings(loaded),
    ...unitWarnings(loaded),
    ...limitWarnings(loaded),
    ...mtuWarnings(loaded, host),
    ...namespaceWarnings(loaded, namespaces),
  ];
  return warnings.map(({ path, at, text }) => source.place({ path, at, text: `${where(path)}${text}` }));
}

/** One line for each: "gw.yaml:4:5: warning: access[0]: …". */
export function formatWarnings(warnings: readonly PlacedProblem[]): string {
  return formatProblems(warnings.map((each) => ({ ...each, text: `warning: ${each.text}` })));
}

function peerWarnings({ config, source }: LoadedConfig): readonly Warning[] {
  const called = new Set(destinations(config).flatMap(({ to }) => lnsesOf(config, to)));
  return config.l2tp.peers.flatMap((peer, i): Warning[] => {
    const path: Path = ["l2tp", "peers", i];
    const warnings: Warning[] = [];
    const octets = peer.secret?.octets().length;
    if (octets === undefined)
      warnings.push({
        path,
        at: "key",
        text: "there is no secret: whoever can send from its address, or says its name, has a tunnel with us",
      });
    else if (octets < SHORT_SECRET_BYTES)
      warnings.push({
        path: [...path, source.has([...path, "secret"]) ? "secret" : "secret-file"],
        at: "value",
        text: `a secret of ${octets} octets can be found by trying; ${2 * SHORT_SECRET_BYTES} or more are better`,
      });
    if (peer.role === "lac") return warnings;
    if (!canBeCalled(config, peer))
      warnings.push({
        path: [...path, "address"],
        at: "value",
        text: `it cannot be called: l2tp.listen has no ${peer.address?.includes(":") ? "IPv6" : "IPv4"} address`,
      });
    if (peer.role === "lns" && !called.has(peer.name))
      warnings.push({ path, at: "key", text: "no destination leads to it" });
    return warnings;
  });
}

function groupWarnings({ config }: LoadedConfig): readonly Warning[] {
  const used = new Set(destinations(config).flatMap(({ to }) => (to.kind === "lns" ? [to.lns] : [])));
  return [...config.lnsGroups].flatMap(([name, { members }]): Warning[] => {
    const path: Path = ["lns-groups", name];
    const warnings: Warning[] = [];
    if (members.length === 1)
      warnings.push({ path, at: "key", text: "there is one member: nobody stands in for it" });
    if (!used.has(name)) warnings.push({ path, at: "key", text: "no destination leads to it" });
    return warnings;
  });
}

function destinationWarnings({ config, source }: LoadedConfig): readonly Warning[] {
  const all = destinations(config);
  const warnings = all.flatMap(({ path, to }): Warning[] => {
    const lnses = lnsesOf(config, to);
    const callable = config.l2tp.peers.filter(
      (peer) => lnses.includes(peer.name) && canBeCalled(config, peer),
    );
    return to.kind === "lns" && callable.length === 0
      ? [
          {
            path: [...path, "lns"],
            at: "value",
            text: "no LNS of it can be called: its subscribers are refused",
          },
        ]
      : [];
  });
  const brings = config.access.length > 0 || config.l2tp.peers.some(({ role }) => role !== "lns");
  if (brings && all.every(({ to }) => to.kind === "refuse"))
    warnings.push({
      path: ["default"],
      at: "key",
      text: "every subscriber is refused: no other destination is there",
    });
  for (const [i, line] of config.lines.entries()) {
    const first = config.lines.findIndex((earlier) => covers(earlier, line));
    if (first < i)
      warnings.push({
        path: ["lines", i],
        at: "key",
        text: `no line is left for it: lines[${first}] has them all`,
      });
  }
  // without `default` in the file there is nowhere to point to but its beginning
  return warnings.map((warning) => (source.has(warning.path) ? warning : { ...warning, path: [] }));
}

function unitWarnings({ config }: LoadedConfig): readonly Warning[] {
  const all = destinations(config);
  const used = new Set([
    ...all.flatMap(({ to }) => (to.kind === "terminate" ? [to.unit] : [])),
    ...config.users.flatMap(({ unit }) => unit ?? []),
  ]);
  return [...config.units].flatMap(([name, unit]): Warning[] => {
    const path: Path = ["units", name];
    if (!used.has(name)) return [{ path, at: "key", text: "no destination and no user leads to it" }];
    const without = config.users.filter((user) => user.address === undefined && (user.unit ?? name) === name);
    if (config.users.length === 0)
      return [{ path, at: "key", text: "there are no users: nobody can log in (users-file)" }];
    return unit.pool === undefined && without.length > 0
      ? [
          {
            path,
            at: "key",
            text: `there is no pool, and ${without.length} users have no address of their own`,
          },
        ]
      : [];
  });
}

/** Where the file says how many there may be, and there is not room for so many. */
function limitWarnings({ config, source }: LoadedConfig): readonly Warning[] {
  const written = config.access.filter((_, i) => source.has(["access", i, "max-sessions"]));
  const sessions = written.reduce((sum, { maxSessions }) => sum + maxSessions, 0);
  const warnings: Warning[] = [];
  const all = destinations(config).filter(({ path }) => path[0] !== "l2tp");
  const isForwarding = all.some(({ to }) => to.kind === "lns");
  const channels = sessions * (isForwarding ? 2 : 1);
  if (channels > config.dataPlane.maxChannels)
    warnings.push({
      path: ["access"],
      at: "key",
      text: `${sessions} sessions need ${channels} channels, and data-plane.max-channels is ${config.dataPlane.maxChannels}`,
    });
  for (const [name, unit] of config.units) {
    const addresses = poolSize(unit);
    const isHere = (to: Destination | undefined) => to?.kind === "terminate" && to.unit === name;
    const leads = all.some(({ to }) => isHere(to));
    const at = { path: ["units", name, "pool"], at: "value" } as const;
    if (leads && addresses > 0 && addresses < sessions)
      warnings.push({
        ...at,
        text: `${addresses} addresses are fewer than the ${sessions} sessions that access.max-sessions allows`,
      });
    const lac = config.l2tp.peers.find(
      ({ role, destination, maxSessions }, i) =>
        role !== "lns" &&
        source.has(["l2tp", "peers", i, "max-sessions"]) &&
        (destination === undefined ? leads : isHere(destination)) &&
        addresses < maxSessions,
    );
    if (lac !== undefined && addresses > 0)
      warnings.push({
        ...at,
        text: `${addresses} addresses are fewer than the ${lac.maxSessions} sessions that max-sessions lets the LAC ${lac.name} bring in one tunnel`,
      });
  }
  return warnings;
}

function poolSize({ pool = [] }: UnitConfig): number {
  return pool.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/** The peers that calls to a destination may go to. */
function lnsesOf({ lnsGroups }: LoadedConfig["config"], to: Destination): readonly string[] {
  if (to.kind !== "lns") return [];
  return lnsGroups.get(to.lns)?.members.map(({ peer }) => peer) ?? [to.lns];
}

function canBeCalled({ l2tp }: LoadedConfig["config"], { address }: L2tpPeerConfig): boolean {
  return l2tp.listen.some((each) => each.address.includes(":") === address?.includes(":"));
}

type Line = LoadedConfig["config"]["lines"][number];
type Ranges = Line["vlans"];

/** Whether every line of `b` is one of `a`. */
function covers(a: Line, b: Line): boolean {
  const isSameInterface = a.interface === undefined || a.interface === b.interface;
  return isSameInterface && contains(a.vlans, b.vlans) && contains(a.outerVlans, b.outerVlans);
}

function contains(a: Ranges, b: Ranges): boolean {
  if (a === undefined) return true;
  return (
    b?.every((inner) => a.some(({ first, last }) => first <= inner.first && inner.last <= last)) ?? false
  );
}
