import { type Raw, rawList, rawMap, rawText } from "./raw.ts";
import { unknownReference } from "./references.ts";
import { where } from "./schema-problems.ts";
import type { Path, Problem } from "./yaml-source.ts";

/** Groups have members that are peers which we may call, each once, and names that no peer has. */
export function checkLnsGroups(config: Raw): Problem[] {
  const peers = rawList(rawMap(config.l2tp).peers).map(rawMap);
  return Object.entries(rawMap(config["lns-groups"])).flatMap(([name, value]): Problem[] => {
    const path: Path = ["lns-groups", name];
    const problems: Problem[] = [];
    if (peers.some((peer) => peer.name === name))
      problems.push({
        path,
        at: "key",
        text: `${where(path)}an L2TP peer has the same name; allowed: a name of its own, since destinations name either`,
      });
    const seen = new Set<string>();
    for (const [i, member] of rawList(rawMap(value).members).map(rawMap).entries()) {
      const peer = rawText(member.peer);
      const here: Path = [...path, "members", i, "peer"];
      if (peer === undefined) continue;
      const problem = checkCallablePeer(config, here, peer, "l2tp.peers");
      if (problem !== undefined) problems.push(problem);
      if (seen.has(peer))
        problems.push({ path: here, at: "value", text: `${where(here)}${peer} is there twice` });
      seen.add(peer);
    }
    return problems;
  });
}

/** The name at `path` is that of a peer which we may call. `section`: where the names are, for the message. */
export function checkCallablePeer(
  config: Raw,
  path: Path,
  name: string,
  section: string,
  others: readonly string[] = [],
): Problem | undefined {
  const peers = rawList(rawMap(config.l2tp).peers).map(rawMap);
  const peer = peers.find((candidate) => candidate.name === name);
  if (peer === undefined) {
    const callable = peers.filter(({ role }) => role !== "lac").map((each) => rawText(each.name));
    return unknownReference(path, name, [...callable, ...others], section);
  }
  if (peer.role !== "lac") return undefined;
  return {
    path,
    at: "value",
    text: `${where(path)}${name} has the role lac: we do not call it; allowed: a peer with the role lns or both`,
  };
}
