import { createCipheriv, createHash, timingSafeEqual } from "node:crypto";
import { concatBytes, fromUtf8, toHex, utf8 } from "../base/bytes.ts";
import type { MsChapV2Response } from "../wire/ms-chap.ts";
import { md4 } from "./md4.ts";

/** Octets of an NT-Response (RFC 2759 §4). */
const NT_RESPONSE_BYTES = 24;
const CHALLENGE_HASH_BYTES = 8;
const DES_KEY_BYTES = 7;
const BACKSLASH = 0x5c;

/** The two texts that go into the authenticator response (§8.7). */
const MAGIC_1 = utf8("Magic server to client signing constant");
const MAGIC_2 = utf8("Pad to make it do more than one iteration");

/** What both sides have seen of an exchange, and what they hope to have in common. */
export interface MsChapV2Exchange {
  /** The authenticator's, 16 octets. */
  readonly challenge: Uint8Array;
  /** The peer's, 16 octets. */
  readonly peerChallenge: Uint8Array;
  /** The Name of the Response, as it was sent. */
  readonly name: Uint8Array;
  /** In UTF-8. */
  readonly password: Uint8Array;
}

/** A user name without the Windows domain that may stand before it (§4): hashes are over this. */
export function withoutDomain(name: Uint8Array): Uint8Array {
  return name.subarray(name.lastIndexOf(BACKSLASH) + 1);
}

/** The NT-Response of the peer (§8.1): 24 octets. */
export function ntResponse(exchange: MsChapV2Exchange): Uint8Array {
  return challengeResponse(challengeHash(exchange), ntPasswordHash(exchange.password));
}

/** By what the authenticator shows that it knows the password too (§8.7): "S=" and 40 upper-case digits. */
export function authenticatorResponse(exchange: MsChapV2Exchange, response: Uint8Array): string {
  return counterProof(challengeHash(exchange), ntPasswordHash(exchange.password), response);
}

/**
 * The authenticator response for a peer whose NT-Response is that of `password`, or undefined. Takes the same time
 * wherever a wrong response differs.
 */
export function verifyMsChapV2(
  credentials: MsChapV2Response & { readonly challenge: Uint8Array; readonly nameBytes: Uint8Array },
  password: Uint8Array,
): string | undefined {
  const { challenge, peerChallenge, nameBytes: name, ntResponse: given } = credentials;
  if (given.length !== NT_RESPONSE_BYTES) return undefined;
  const hash = challengeHash({ challenge, peerChallenge, name });
  const passwordHash = ntPasswordHash(password);
  if (!timingSafeEqual(given, challengeResponse(hash, passwordHash))) return undefined;
  return counterProof(hash, passwordHash, given);
}

/** §8.5: the challenge under the password's hash as three DES keys, the third of which is mostly zero. */
function challengeResponse(challenge: Uint8Array, passwordHash: Uint8Array): Uint8Array {
  const keys = new Uint8Array(3 * DES_KEY_BYTES);
  keys.set(passwordHash);
  const response = new Uint8Array(NT_RESPONSE_BYTES);
  for (let i = 0; i < 3; i++) {
    const key = keys.subarray(i * DES_KEY_BYTES, (i + 1) * DES_KEY_BYTES);
    response.set(desEncrypt(challenge, key), 8 * i);
  }
  return response;
}

function counterProof(challenge: Uint8Array, passwordHash: Uint8Array, response: Uint8Array): string {
  const first = sha1(md4(passwordHash), response, MAGIC_1);
  return `S=${toHex(sha1(first, challenge, MAGIC_2)).toUpperCase()}`;
}

/** §8.3: MD4 of the password in UTF-16, least significant octet first. */
export function ntPasswordHash(password: Uint8Array): Uint8Array {
  return md4(Buffer.from(fromUtf8(password), "utf16le"));
}

/** §8.2. */
function challengeHash({ peerChallenge, challenge, name }: Omit<MsChapV2Exchange, "password">): Uint8Array {
  return sha1(peerChallenge, challenge, withoutDomain(name)).subarray(0, CHALLENGE_HASH_BYTES);
}

/** §8.6. OpenSSL has no single DES; triple DES under three times the same key is the same. */
function desEncrypt(clear: Uint8Array, key: Uint8Array): Uint8Array {
  const expanded = desKey(key);
  const cipher = createCipheriv("des-ede3", concatBytes(expanded, expanded, expanded), null);
  cipher.setAutoPadding(false);
  return cipher.update(clear);
}

/** 56 bits of key in eight octets, seven to each; DES does not look at the eighth, parity (§9.3). */
export function desKey(key: Uint8Array): Uint8Array {
  const expanded = new Uint8Array(8);
  let bits = 0;
  for (let i = 0; i < 8; i++) {
    bits = (bits << 8) | (key[i] ?? 0);
    expanded[i] = (bits >>> i) & 0xfe;
  }
  return expanded;
}

function sha1(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
}
