import { describe, expect, it } from "vitest";
import { HABITS } from "../../bench/api/asked.ts";
import { rabble } from "../../bench/api/rabble.ts";
import { Secret } from "../../src/base/secret.ts";
import { LISTENER_LIMITS } from "../../src/control/listeners.ts";
import { freePort } from "../control/free-port.ts";
import { rawClient, statusLines } from "../control/raw-client.ts";
import { sampleOperations } from "../control/sample-operations.ts";
import { fetchFrom, serve } from "../control/serve.ts";

const TOKEN = "0123456789abcdefghij";

describe("the crowd of the API's benchmark", () => {
  it("asks for what there is, if it may", async () => {
    const path = await serve();
    for (const { path: asked } of HABITS) expect((await fetchFrom(path, asked)).status, asked).toBe(200);
  });

  it("gets nothing but refusals, if it may not", async () => {
    const port = await freePort();
    await serve(sampleOperations(), {
      addresses: [{ address: "127.0.0.1", port, token: new Secret(TOKEN) }],
      limits: { ...LISTENER_LIMITS, requestMs: 100 },
    });
    for (const { text } of rabble({ socket: "", port, token: TOKEN }))
      for (let number = 0; number < 6; number += 1) {
        const answer = await rawClient(port, Buffer.from(text(number), "latin1")).over;
        expect(statusLines(answer).join(), text(number).slice(0, 80)).toMatch(/^4\d\d/);
      }
  });
});
