/** A subscriber's machines are shown frames in a ring, where the next one overwrites them. */

import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { PppClient } from "../../src/ppp/client.ts";
import type { AuthenticationMethod } from "../../src/ppp/lcp.ts";
import type { LinkOutput } from "../../src/ppp/link-types.ts";
import { verifyMsChapV2 } from "../../src/ppp/ms-chap-v2.ts";
import { PppServer, type PppServerOutput } from "../../src/ppp/server.ts";
import { PppoeClient } from "../../src/pppoe/client.ts";
import { DEFAULT_PPPOE_CLIENT_RETRY } from "../../src/pppoe/client-types.ts";
import { emitDiscoveryFrame, readDiscoveryFrame } from "../../src/pppoe/discovery-frame.ts";
import { NO_SESSION, PADO, PADS } from "../../src/wire/pppoe.ts";
import { findTag, TAG_AC_COOKIE, TAG_AC_NAME, TAG_HOST_UNIQ } from "../../src/wire/pppoe-tags.ts";
import { CLIENT, GRANT, SERVER } from "../ppp/pair.ts";
import { seededRandom } from "../support/seeded-random.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const AC_MAC = Uint8Array.of(2, 0, 0, 0, 0, 2);
const AUTHENTICATIONS: readonly AuthenticationMethod[] = ["pap", "chap-md5", "ms-chap-v2"];

/** A place in a ring: what was shown there is gone as soon as it has been looked at. */
class Slot {
  readonly #octets = new Uint8Array(2048);

  show<Seen>(frame: Uint8Array, look: (view: Uint8Array) => Seen): Seen {
    this.#octets.set(frame, 64);
    const seen = look(this.#octets.subarray(64, 64 + frame.length));
    this.#octets.fill(0xaa);
    return seen;
  }
}

describe("frames that are overwritten once they were looked at", () => {
  it.each(AUTHENTICATIONS)("leave a link with %s as if they had been kept", (method) => {
    const server = new PppServer({ ...SERVER, authentication: [method] }, seededRandom(1));
    const [kept, shown] = [new PppClient(CLIENT, seededRandom(2)), new PppClient(CLIENT, seededRandom(2))];
    const slot = new Slot();
    const seen: string[] = [];
    const answered = (outputs: readonly PppServerOutput[]): void => {
      for (const output of outputs) {
        if (output.kind === "send") {
          const answer = kept.receive(0, output.frame);
          expect(slot.show(output.frame, (view) => shown.receive(0, view))).toEqual(answer);
          expect(shown.snapshot()).toEqual(kept.snapshot());
          asked(answer);
        } else if (output.kind === "authenticate") {
          const { attempt, credentials } = output;
          const proof =
            credentials.method === "ms-chap-v2" ? verifyMsChapV2(credentials, utf8("wonderland")) : undefined;
          answered(server.accept(0, attempt, GRANT, proof));
        }
      }
    };
    const asked = (outputs: readonly LinkOutput[]): void => {
      for (const output of outputs) {
        seen.push(output.kind);
        if (output.kind === "send") answered(server.receive(0, output.frame));
      }
    };
    shown.start(0);
    const begun = server.start(0);
    asked(kept.start(0));
    answered(begun);
    expect(seen).toContain("network-up");
    answered(server.terminate(0, "that was all"));
    expect(seen.at(-1)).toBe("down");
  });

  it("leave discovery as if they had been kept", () => {
    const config = { localMac: MAC, tags: [], serviceName: "", retry: DEFAULT_PPPOE_CLIENT_RETRY };
    const [kept, shown] = [
      new PppoeClient(config, seededRandom(3)),
      new PppoeClient(config, seededRandom(3)),
    ];
    const slot = new Slot();
    shown.start(0);
    const [padi] = kept.start(0);
    const read = padi?.kind === "send" ? readDiscoveryFrame(padi.frame) : "nothing";
    if (typeof read === "string") throw new Error(read);
    const ours = [
      { type: TAG_HOST_UNIQ, value: findTag(read.packet.tags, TAG_HOST_UNIQ)! },
      { type: TAG_AC_NAME, value: utf8("ac") },
      { type: TAG_AC_COOKIE, value: utf8("cookie") },
    ];
    for (const [code, sessionId] of [
      [PADO, NO_SESSION],
      [PADS, 7],
    ] as const) {
      const packet = { code, sessionId, tags: ours };
      const frame = emitDiscoveryFrame({ destination: MAC, source: AC_MAC, vlanTags: [], packet });
      const answer = kept.receive(0, frame);
      expect(answer).toHaveLength(1);
      expect(slot.show(frame, (view) => shown.receive(0, view))).toEqual(answer);
      expect(shown.snapshot()).toEqual(kept.snapshot());
    }
    expect(shown.close(0)).toEqual(kept.close(0));
  });
});
