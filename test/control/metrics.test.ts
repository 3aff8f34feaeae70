import { readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { parse } from "yaml";
import { Metrics } from "../../src/control/metrics.ts";
import { sampleOperations, sampleTunnels } from "./sample-operations.ts";
import { fetchFrom, serve } from "./serve.ts";

/** Names of the metrics, each with what Prometheus adds to histograms. */
function namesIn(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    for (const suffix of type === "histogram" ? ["_bucket", "_sum", "_count"] : [""])
      names.add(name! + suffix);
  return names;
}

function deployed(name: string): string {
  return readFileSync(new URL(`../../deploy/${name}`, import.meta.url), "utf8");
}

async function scraped(operations = sampleOperations()): Promise<string> {
  const metrics = new Metrics(operations, "1.2.3", () => 3);
  const { text } = await metrics.scrape();
  metrics.close();
  return text;
}

describe("/metrics", () => {
  it("is in Prometheus' text format", async () => {
    const answer = await fetchFrom(await serve(), "/metrics");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toContain("text/plain; version=0.0.4");
    for (const line of answer.text.split("\n"))
      expect(line).toMatch(/^(|#.*|[a-z0-9_]+(\{([a-z]+="[^"\n]*",?)+\})? (\S+))$/);
  });

  it("measures in base units, and says that of what counts by _total", async () => {
    const types = [...(await scraped()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    for (const [, name = "", type] of types) {
      expect(name).not.toMatch(/_(octets|bits|kilobytes|milliseconds|ms|minutes|percent)(_|$)/);
      expect(name.endsWith("_total"), name).toBe(type === "counter");
    }
  });

  it("tells what the gateway carries, by what and by whom", async () => {
    const text = await scraped();
    for (const line of [
      'lacewing_info{version="1.2.3",name="lac1",engine="xdp"} 1',
      'lacewing_sessions{state="open",role="lac"} 1',
      "lacewing_sessions_started_total 3",
      'lacewing_sessions_ended_total{cause="hung-up"} 2',
      'lacewing_dataplane_frames_total{engine="xdp",direction="in"} 10',
      'lacewing_dataplane_bytes_total{engine="xdp",direction="out"} 3000',
      'lacewing_dataplane_drops_total{reason="wrong-source"} 12',
      'lacewing_port_bytes_total{port="acc0",direction="in"} 1000',
      'lacewing_lns_bytes_total{lns="lns1",direction="in"} 1000',
      'lacewing_interface_up{interface="acc0"} 1',
      'lacewing_pppoe_padi_total{interface="acc0"} 5',
      'lacewing_pppoe_pads_refused_total{interface="acc0",reason="no-resources"} 2',
      'lacewing_pppoe_discarded_total{interface="acc0",reason="no-cookie"} 7',
      'lacewing_l2tp_tunnels{peer="lns1",state="established"} 1',
      'lacewing_l2tp_listener_up{listener="192.0.2.2:1701"} 1',
      'lacewing_l2tp_listener_up{listener="[2001:db8::b]:1701"} 0',
      "lacewing_l2tp_retransmissions_total 4",
      'lacewing_l2tp_control_discarded_total{reason="malformed"} 1',
      "lacewing_l2tp_draining 1",
      'lacewing_l2tp_calls_refused_total{reason="draining"} 6',
      'lacewing_lns_available{lns="lns1"} 1',
      'lacewing_lns_available{lns="lns2"} 0',
      'lacewing_lns_lockout_seconds{lns="lns2"} 212',
      'lacewing_lns_calls_total{lns="lns2",outcome="placed"} 3',
      'lacewing_lns_lockouts_total{lns="lns2"} 1',
      "lacewing_event_streams 3",
      'lacewing_dataplane_worker_frames_total{engine="loop",worker="0"} 100',
      'lacewing_dataplane_worker_frames_total{engine="xdp",worker="program"} 90000',
      'lacewing_dataplane_worker_punts_total{engine="loop",worker="0"} 7',
      'lacewing_dataplane_worker_drops_total{engine="loop",worker="0",reason="policed"} 30',
      'lacewing_dataplane_worker_deaths_total{engine="loop",worker="0"} 1',
      'lacewing_dataplane_worker_up{engine="loop",worker="0"} 1',
      'lacewing_pool_addresses{pool="local"} 253',
      'lacewing_pool_addresses_used{pool="local"} 17',
      "lacewing_journal_size_bytes 1048576",
      "lacewing_journal_used_bytes 4096",
      "lacewing_journal_records 40",
      "lacewing_journal_passed_over_total 2",
    ])
      expect(text.split("\n")).toContain(line);
    expect(text).not.toContain("alice");
  });

  it("tells the same twice, and counts what has happened meanwhile", async () => {
    const operations = sampleOperations();
    const metrics = new Metrics(operations, "1", () => 0);
    const first = await metrics.scrape();
    expect(await metrics.scrape()).toMatchObject({ type: first.type });
    const down = { tunnel: 7, peer: "lns1", reason: "x" };
    operations.events.publish({
      kind: "tunnel-up",
      tunnel: 7,
      peer: "lns1",
      address: "192.0.2.1",
      setupMs: 20,
    });
    operations.events.publish({ kind: "call-down", ...down, connected: false, result: 4, by: "peer" });
    operations.events.publish({ kind: "call-down", ...down, connected: false, result: 4711, by: "peer" });
    operations.events.publish({
      kind: "tunnel-down",
      ...down,
      wasUp: true,
      sessions: 0,
      result: null,
      by: "nobody",
    });
    operations.events.publish({
      kind: "session-up",
      session: "s1",
      user: "alice",
      role: "lac",
      origin: "acc0",
      mac: null,
      lns: "lns1",
      address: null,
      setupMs: 300,
    });
    const { text } = await metrics.scrape();
    metrics.close();
    for (const line of [
      'lacewing_l2tp_tunnel_setup_seconds_bucket{le="0.025",peer="lns1"} 1',
      'lacewing_l2tp_calls_ended_total{peer="lns1",by="peer",result="4"} 1',
      'lacewing_l2tp_calls_ended_total{peer="lns1",by="peer",result="other"} 1',
      'lacewing_l2tp_tunnels_ended_total{peer="lns1",by="nobody",result="none"} 1',
      'lacewing_session_setup_seconds_sum{role="lac",lns="lns1"} 0.3',
      'lacewing_dataplane_frames_total{engine="xdp",direction="in"} 10',
    ])
      expect(text.split("\n")).toContain(line);
    expect(text).not.toContain("alice");
  });
});

describe("the ends of tunnels and calls", () => {
  const ofEnds = (text: string): string[] =>
    text.split("\n").filter((line) => /_ended_total\{peer=/.test(line));

  it("are counted from 0 for each configured peer, so that the first is seen", async () => {
    const operations = sampleOperations();
    const metrics = new Metrics(operations, "1", () => 0);
    const before = ofEnds((await metrics.scrape()).text);
    expect(before.length).toBe(2 * 13);
    for (const line of [
      'lacewing_l2tp_tunnels_ended_total{peer="lns2",by="nobody",result="none"} 0',
      'lacewing_l2tp_tunnels_ended_total{peer="lns1",by="peer",result="6"} 0',
      'lacewing_l2tp_calls_ended_total{peer="lns1",by="peer",result="4"} 0',
      'lacewing_l2tp_calls_ended_total{peer="lns2",by="us",result="1"} 0',
    ])
      expect(before).toContain(line);
    const down = { tunnel: 7, peer: "lns1", reason: "full", connected: false } as const;
    operations.events.publish({ kind: "call-down", ...down, result: 4, by: "peer" });
    const after = ofEnds((await metrics.scrape()).text);
    metrics.close();
    expect(after.filter((line) => !before.includes(line))).toEqual([
      'lacewing_l2tp_calls_ended_total{peer="lns1",by="peer",result="4"} 1',
    ]);
  });

  it("of very many peers are there when they come", async () => {
    const peers = Array.from({ length: 101 }, (_, i) => `lac${i}`);
    expect(ofEnds(await scraped(sampleOperations({ peers: () => peers })))).toEqual([]);
  });
});

describe("the peers of tunnels", () => {
  it("keep what was counted of tunnels that have ended", async () => {
    const [tunnel] = sampleTunnels;
    let there = [{ ...tunnel!, retransmitted: 5, windowStalls: 1 }];
    const metrics = new Metrics(sampleOperations({ tunnels: () => there }), "1", () => 0);
    await metrics.scrape();
    there = [];
    await metrics.scrape();
    there = [
      { ...tunnel!, retransmitted: 2, windowStalls: 0, roundTripMs: 30 },
      { ...tunnel!, localTunnelId: 99, retransmitted: 0, windowStalls: 0, notAnsweringForSeconds: 4 },
    ];
    const { text } = await metrics.scrape();
    metrics.close();
    for (const line of [
      'lacewing_l2tp_peer_retransmissions_total{peer="lns1"} 7',
      'lacewing_l2tp_peer_window_stalls_total{peer="lns1"} 1',
      'lacewing_l2tp_round_trip_seconds{peer="lns1"} 0.03',
      'lacewing_l2tp_tunnels_not_answering{peer="lns1"} 1',
    ])
      expect(text.split("\n")).toContain(line);
  });

  it("keep what was counted of tunnels that have come and gone between two scrapes", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const [tunnel] = sampleTunnels;
    let there: typeof sampleTunnels = [];
    const metrics = new Metrics(sampleOperations({ tunnels: () => there }), "1", () => 0);
    await metrics.scrape();
    there = [{ ...tunnel!, retransmitted: 2 }];
    vi.advanceTimersByTime(30_000);
    there = [];
    vi.advanceTimersByTime(30_000);
    const { text } = await metrics.scrape();
    metrics.close();
    expect(text.split("\n")).toContain('lacewing_l2tp_peer_retransmissions_total{peer="lns1"} 2');
  });
});

describe("the round trip", () => {
  it("is not told of a peer that has never answered", async () => {
    const [tunnel] = sampleTunnels;
    const unheard = { ...tunnel!, peer: "lns2", localTunnelId: 99, roundTripMs: null };
    const text = await scraped(sampleOperations({ tunnels: () => [tunnel!, unheard] }));
    expect(text).toContain('lacewing_l2tp_round_trip_seconds{peer="lns1"}');
    expect(text).not.toContain('lacewing_l2tp_round_trip_seconds{peer="lns2"}');
  });
});

describe("deploy/", () => {
  /** What looks like a metric of ours. */
  const metricsIn = (text: string): string[] => [
    ...new Set(text.match(/\b(?:lacewing|process|nodejs)_[a-z0-9_]+/g) ?? []),
  ];

  it.each(["grafana-dashboard.json", "alerts.yaml"])("%s asks for metrics that there are", async (name) => {
    const asked = metricsIn(deployed(name));
    const known = namesIn(await scraped());
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((metric) => !known.has(metric))).toEqual([]);
  });

  it("alerts.yaml says of every alert what it means and what to do", () => {
    const { groups } = parse(deployed("alerts.yaml")) as {
      groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(5);
    for (const { alert, expr, annotations } of rules) {
      expect(alert).toMatch(/^Lacewing[A-Z]/);
      expect(expr).toContain("lacewing_");
      expect(Object.keys(annotations).sort(), alert).toEqual(["description", "runbook", "summary"]);
    }
  });

  it("alerts.yaml tells of one gateway that falls silent while others do not", () => {
    const down = deployed("alerts.yaml").split("- alert: ")[1];
    expect(down).toMatch(/^LacewingDown\n/);
    expect(down).toMatch(/group by \(instance\) .*\n +unless group by \(instance\) /);
    expect(down).toContain("{{ $labels.instance }} tells no metrics");
  });

  it("the dashboard is one that Grafana can read, with a panel for each thing that is asked first", () => {
    const { title, panels } = JSON.parse(deployed("grafana-dashboard.json")) as {
      title: string;
      panels: { title: string; id: number; targets: { expr: string }[] }[];
    };
    expect(title).toBe("Lacewing");
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const panel of panels)
      for (const { expr } of panel.targets) expect(metricsIn(expr), panel.title).toHaveLength(1);
  });
});
