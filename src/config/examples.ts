/**
 * An example of each block, by the path that docs/configuration.md shows it under. Together they are one configuration
 * that works, which a test makes sure of.
 */
export const EXAMPLES: Readonly<Record<string, string>> = {
  "": `name: lac1
users-file: users.yaml
default: { refuse: true }
`,
  log: `log: { level: info }
`,
  control: `control:
  socket: /run/lacewing/lacewing.sock
`,
  "control.listen[]": `control:
  listen:
    - address: 127.0.0.1
      port: 8080
      token-file: api.token
`,
  "control.listen[].tls": `control:
  listen:
    - address: 192.0.2.1
      port: 8443
      tls: { cert: api.pem, key: api.key, client-ca: operators.pem }
`,
  journal: `journal: { size: 64MiB }
`,
  "data-plane": `data-plane:
  engine: auto
  workers: 2
  max-channels: 65536
`,
  "access[]": `access:
  - interface: eth1
    service-names: [internet, ""]
    authentication: [chap, pap]
    mru: 1500
    sessions-per-mac: 2
    at-mac-limit: refuse
`,
  "l2tp.listen[]": `l2tp:
  listen:
    - address: 192.0.2.2
    - { address: "2001:db8::2", interface: vrf-core }
`,
  "l2tp.peers[]": `l2tp:
  peers:
    - name: lns1
      address: 192.0.2.11
      host-name: lns1
      secret-file: lns1.secret
      max-sessions: 10000
      hello-interval: 30s
    - name: lns2
      address: 192.0.2.12
      secret-file: lns2.secret
    - name: wholesale
      role: lac
      host-name: wholesale-lac
      secret-file: wholesale.secret
      destination: { lns: isp }
`,
  "l2tp.peers[].switch-avps": `l2tp:
  peers:
    - name: partner
      address: 192.0.2.21
      secret-file: partner.secret
      switch-avps:
        calling-number: regenerate
        access-line: drop
`,
  "lns-groups.*": `lns-groups:
  isp:
    members:
      - { peer: lns1, weight: 2 }
      - { peer: lns2 }
    strategy: sessions
    lockout: 2m
`,
  "lns-groups.*.members[]": `lns-groups:
  with-a-spare:
    members:
      - { peer: lns1, preference: 1 }
      - { peer: lns2, preference: 2 }
`,
  destination: `realms:
  isp.example: { lns: isp }
  local.example: { terminate: subscribers, session-timeout: 24h, idle-timeout: 30m }
  gone.example: { refuse: true }
services:
  video: { terminate: subscribers }
`,
  "lines[]": `lines:
  - interface: eth1
    vlans: [100-199, 300]
    to: { lns: isp }
  - outer-vlans: 2000-2999
    to: { terminate: subscribers }
`,
  "units.*": `units:
  subscribers:
    mode: shared
    name: subscribers
    address: 100.64.0.1
    pool: [100.64.0.0/18, 198.51.100.10-198.51.100.99]
    dns: [192.0.2.53, 192.0.2.54]
`,
};

/** The users file's. */
export const USERS_EXAMPLE = `- name: alice@local.example
  password: change me
- name: bob@local.example
  password: change me too
  address: 203.0.113.7
  dns: [192.0.2.53]
`;
