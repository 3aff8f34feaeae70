/** Configurations of a LAC and an LNS that fit together, for whole gateways in one test. */

export const LAC_YAML = `
name: lac
access: [{ interface: acc0 }]
l2tp:
  listen: [{ address: 10.0.0.2 }]
  peers: [{ name: lns, address: 10.0.0.11, secret: tunnel-secret }]
realms: { isp.example: { lns: lns } }
`;

export const LNS_YAML = `
name: lns
l2tp:
  listen: [{ address: 10.0.0.11 }]
  peers: [{ name: lac, role: lac, host-name: lac, secret: tunnel-secret }]
realms: { isp.example: { terminate: subscribers } }
units:
  subscribers: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24, dns: [192.0.2.53] }
users-file: users.yaml
`;

export const USERS_YAML = `
- { name: alice@isp.example, password: wonderland }
- { name: bob, password: builder, address: 100.64.0.200 }
`;
