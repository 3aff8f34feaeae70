import { expect, it } from "vitest";
import type { Destination } from "../../src/config/config.ts";
import { loneLnses } from "../../src/gateway/lone-lnses.ts";

it("are the peers that a destination names itself, whoever does so", () => {
  const to = (lns: string): Destination => ({ kind: "lns", lns });
  const config = {
    realms: new Map([
      ["a.example", to("lns1")],
      ["b.example", to("group")],
      ["c.example", to("lns1")],
    ]),
    services: new Map([["gold", to("lns2")]]),
    lines: [{ to: to("lns2") }, { to: to("lns2") }],
    l2tp: { listen: [], peers: [{ name: "lac", destination: to("lns3") }, { name: "lns1" }] },
    lnsGroups: new Map([["group", {}]]),
    default: { kind: "refuse" },
  };
  expect(loneLnses(config as unknown as Parameters<typeof loneLnses>[0])).toEqual([
    { peer: "lns1", callers: ["realm a.example", "realm c.example"] },
    { peer: "lns2", callers: ["service gold", "some lines"] },
    { peer: "lns3", callers: ["peer lac"] },
  ]);
});
