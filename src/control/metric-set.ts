/** Every metric of the gateway. Labels are names of the configuration and words of ours: never a user, nor what a peer may make up. */

import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** From a call of a host next door to one that went from LNS to LNS. */
const SETUP_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export type MetricSet = ReturnType<typeof makeMetrics>;

export function makeMetrics(registry: Registry) {
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name: `lacewing_${name}`, help, labelNames, registers });
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `lacewing_${name}_total`, help, labelNames, registers });
  const seconds = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Histogram({
      name: `lacewing_${name}_seconds`,
      help,
      labelNames,
      buckets: SETUP_BUCKETS,
      registers,
    });
  return {
    info: gauge("info", "1, with what runs.", "version", "name", "engine"),
    startTime: gauge("start_time_seconds", "When the gateway was started, seconds since 1970."),
    busy: counter("control_plane_busy_seconds", "Time in which the control plane's thread had work to do."),
    // by the names that Prometheus' own libraries give them
    cpu: new Counter({
      name: "process_cpu_seconds_total",
      help: "Processor time of all threads.",
      registers,
    }),
    memory: new Gauge({ name: "process_resident_memory_bytes", help: "Memory of the process.", registers }),
    heap: new Gauge({
      name: "nodejs_heap_size_used_bytes",
      help: "Of it, objects of the control plane.",
      registers,
    }),
    streams: gauge("event_streams", "Who listens to events."),

    sessions: gauge("sessions", "Sessions by where they stand and what they are to us.", "state", "role"),
    sessionsStarted: counter("sessions_started", "Sessions that began, whatever became of them."),
    sessionsEnded: counter("sessions_ended", "Sessions that ended, by why.", "cause"),
    sessionSetup: seconds(
      "session_setup",
      "From PADR or ICRQ until frames flow, by role and LNS.",
      "role",
      "lns",
    ),

    frames: counter("dataplane_frames", "PPP frames of subscribers; in is from them.", "engine", "direction"),
    octets: counter("dataplane_bytes", "PPP bytes of subscribers; in is from them.", "engine", "direction"),
    drops: counter("dataplane_drops", "Frames that were dropped, by why.", "reason"),
    workerFrames: counter(
      "dataplane_worker_frames",
      "Frames received from wires and units, by what forwards; the engine xdp is the program in the kernel.",
      "engine",
      "worker",
    ),
    workerPunts: counter(
      "dataplane_worker_punts",
      "Frames that went to the control plane.",
      "engine",
      "worker",
    ),
    workerDrops: counter(
      "dataplane_worker_drops",
      "Frames that were dropped, by whom and why.",
      "engine",
      "worker",
      "reason",
    ),
    workerDeaths: counter(
      "dataplane_worker_deaths",
      "Times that a forwarding thread ended by itself; another one takes its place.",
      "engine",
      "worker",
    ),
    workerUp: gauge("dataplane_worker_up", "1 while it forwards.", "engine", "worker"),
    portFrames: counter(
      "port_frames",
      "PPP frames by access interface, or L2TP peer that brings them.",
      "port",
      "direction",
    ),
    portOctets: counter(
      "port_bytes",
      "PPP bytes by access interface, or L2TP peer that brings them.",
      "port",
      "direction",
    ),
    lnsFrames: counter(
      "lns_frames",
      "PPP frames by the LNS that they go to or come from.",
      "lns",
      "direction",
    ),
    lnsOctets: counter("lns_bytes", "PPP bytes by the LNS that they go to or come from.", "lns", "direction"),

    interfaceUp: gauge("interface_up", "1 while the access interface is open.", "interface"),
    interfaceDraining: gauge("interface_draining", "1 while it takes no new calls.", "interface"),
    interfaceLoad: gauge("interface_load_ratio", "How busy it is with setting up, 0 to 1.", "interface"),
    pppoeSessions: gauge("pppoe_sessions", "PPPoE sessions.", "interface"),
    pppoeSettingUp: gauge("pppoe_setting_up", "Of them, those that are not complete.", "interface"),
    pppoeWaiting: gauge("pppoe_waiting_calls", "Calls that wait for their turn.", "interface"),
    padi: counter("pppoe_padi", "PADIs received.", "interface"),
    pado: counter("pppoe_pado", "PADOs sent.", "interface"),
    padr: counter("pppoe_padr", "PADRs received.", "interface"),
    pads: counter("pppoe_pads", "PADSs sent that gave a session.", "interface"),
    padsRefused: counter("pppoe_pads_refused", "PADSs sent that refused one, by why.", "interface", "reason"),
    padtReceived: counter("pppoe_padt_received", "PADTs received.", "interface"),
    padtSent: counter("pppoe_padt_sent", "PADTs sent.", "interface"),
    pppoeDiscarded: counter(
      "pppoe_discarded",
      "Discovery packets that were not answered, by why.",
      "interface",
      "reason",
    ),

    poolSize: gauge("pool_addresses", "Addresses of a pool, without fixed ones of users.", "pool"),
    poolUsed: gauge("pool_addresses_used", "Of them, those that somebody has.", "pool"),

    journalSize: gauge("journal_size_bytes", "Memory for what `lacewing why` tells."),
    journalUsed: gauge("journal_used_bytes", "Of it, what is written."),
    journalRecords: gauge("journal_records", "Messages and notes in the journal."),
    journalPassedOver: counter(
      "journal_passed_over",
      "Messages of hosts and peers that nobody knew, which were too many to be written down.",
    ),

    l2tpDraining: gauge("l2tp_draining", "1 while calls that come by L2TP are refused."),
    callsRefused: counter("l2tp_calls_refused", "Calls by L2TP that we did not take, by why.", "reason"),
    listenerUp: gauge(
      "l2tp_listener_up",
      "1 while L2TP is spoken on the local address: 0 without the device that it is bound to, or without the address.",
      "listener",
    ),
    tunnels: gauge("l2tp_tunnels", "L2TP tunnels.", "peer", "state"),
    tunnelSessions: gauge("l2tp_tunnel_sessions", "Sessions in them.", "peer"),
    tunnelSetup: seconds("l2tp_tunnel_setup", "From SCCRQ to SCCRP, of tunnels that we open.", "peer"),
    tunnelsEnded: counter(
      "l2tp_tunnels_ended",
      "Tunnels that ended, by who sent StopCCN and its Result Code; by nobody: the peer did not answer, or has begun anew.",
      "peer",
      "by",
      "result",
    ),
    callsEnded: counter(
      "l2tp_calls_ended",
      "Calls that ended and not their tunnel, by who sent CDN and its Result Code; by nobody: given up before ICRQ, or not answered.",
      "peer",
      "by",
      "result",
    ),
    roundTrip: gauge(
      "l2tp_round_trip_seconds",
      "From a control message to its acknowledgement, in the slowest tunnel.",
      "peer",
    ),
    peerRetransmissions: counter(
      "l2tp_peer_retransmissions",
      "Control messages that were sent again, by the peer that they were for.",
      "peer",
    ),
    tunnelsNotAnswering: gauge(
      "l2tp_tunnels_not_answering",
      "Tunnels that are up, and whose peer does not acknowledge what was repeated twice.",
      "peer",
    ),
    windowStalls: counter(
      "l2tp_peer_window_stalls",
      "Times that we had to wait because the peer's receive window was full.",
      "peer",
    ),
    retransmissions: counter("l2tp_retransmissions", "Control messages that were sent again."),
    fastRetransmissions: counter(
      "l2tp_fast_retransmissions",
      "Losses that repeated acknowledgements told of before the time was up.",
    ),
    duplicates: counter("l2tp_duplicates", "Control messages that came again."),
    controlDiscarded: counter(
      "l2tp_control_discarded",
      "Control messages that were passed over, by why.",
      "reason",
    ),

    lnsUp: gauge("lns_available", "1 while calls go to the LNS, 0 while it is locked out.", "lns"),
    lnsLockout: gauge("lns_lockout_seconds", "For how long it still is locked out.", "lns"),
    lnsSessions: gauge("lns_sessions", "Sessions that we have placed with it.", "lns"),
    lnsTunnels: gauge("lns_tunnels", "Tunnels with it that are up.", "lns"),
    lnsCalls: counter("lns_calls", "Calls by what the LNS made of them.", "lns", "outcome"),
    lnsLockouts: counter("lns_lockouts", "Times that it was locked out.", "lns"),
  };
}
