// A RADIUS server of one NAS: accepts the users that it is given, by PAP and CHAP (RFC 2865), and whatever
// accounting says. Reads {"address", "secret", "users": {NAME: PASSWORD}} from its argument; says "ready" when it is.

import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";

const ACCESS_REQUEST = 1;
const ACCESS_ACCEPT = 2;
const ACCESS_REJECT = 3;
const ACCOUNTING_REQUEST = 4;
const ACCOUNTING_RESPONSE = 5;
const USER_NAME = 1;
const USER_PASSWORD = 2;
const CHAP_PASSWORD = 3;
const SERVICE_TYPE_FRAMED = Buffer.from([6, 6, 0, 0, 0, 2]);
const FRAMED_PROTOCOL_PPP = Buffer.from([7, 6, 0, 0, 0, 1]);
const CHAP_CHALLENGE = 60;
const HEADER = 20;

const { address, secret, users } = JSON.parse(process.argv[2]);

const md5 = (...parts) =>
  createHash("md5")
    .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .digest();

function attributesOf(packet) {
  const attributes = new Map();
  for (let at = HEADER; at + 2 <= packet.length && packet[at + 1] >= 2; at += packet[at + 1])
    attributes.set(packet[at], packet.subarray(at + 2, at + packet[at + 1]));
  return attributes;
}

/** RFC 2865 §5.2. */
function plainPassword(hidden, authenticator) {
  let key = authenticator;
  const blocks = [];
  for (let at = 0; at < hidden.length; at += 16) {
    const block = hidden.subarray(at, at + 16);
    blocks.push(md5(secret, key).map((octet, i) => octet ^ block[i]));
    key = block;
  }
  return Buffer.concat(blocks).toString().replace(/\0+$/, "");
}

function isRight(attributes, authenticator) {
  const password = users[attributes.get(USER_NAME)?.toString()];
  if (password === undefined) return false;
  const chap = attributes.get(CHAP_PASSWORD);
  if (chap === undefined)
    return plainPassword(attributes.get(USER_PASSWORD) ?? Buffer.alloc(0), authenticator) === password;
  const challenge = attributes.get(CHAP_CHALLENGE) ?? authenticator;
  return md5(chap.subarray(0, 1), password, challenge).equals(chap.subarray(1));
}

function answer(packet) {
  const authenticator = packet.subarray(4, HEADER);
  const code = packet[0];
  if (code !== ACCESS_REQUEST && code !== ACCOUNTING_REQUEST) return undefined;
  const accepted = code === ACCESS_REQUEST && isRight(attributesOf(packet), authenticator);
  const verdict = accepted ? ACCESS_ACCEPT : ACCESS_REJECT;
  const attributes = accepted ? [SERVICE_TYPE_FRAMED, FRAMED_PROTOCOL_PPP] : [];
  const body = Buffer.concat(attributes);
  const head = Buffer.from([
    code === ACCESS_REQUEST ? verdict : ACCOUNTING_RESPONSE,
    packet[1],
    0,
    HEADER + body.length,
  ]);
  return Buffer.concat([head, md5(head, authenticator, body, secret), body]);
}

let listening = 0;
for (const port of [1812, 1813]) {
  const socket = createSocket("udp4");
  socket.on("message", (packet, from) => {
    const reply = packet.length < HEADER ? undefined : answer(packet);
    if (reply !== undefined) socket.send(reply, from.port, from.address);
  });
  socket.bind(port, address, () => {
    listening += 1;
    if (listening === 2) console.log("ready");
  });
}
