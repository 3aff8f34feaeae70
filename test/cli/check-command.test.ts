import { expect, it } from "vitest";
import { ConfigFolder } from "../config/config-folder.ts";
import { FakeProcess } from "./fakes.ts";

it("check warns on standard error of what is allowed and doubtful, and ends with code 0", async () => {
  const process = new FakeProcess();
  const peer = "{ name: lns1, address: 192.0.2.11 }";
  const yaml = `name: gw\nl2tp:\n  listen: [{ address: 192.0.2.2 }]\n  peers: [${peer}]\ndefault: { lns: lns1 }\n`;
  const path = new ConfigFolder().write("gw.yaml", yaml);
  expect(await process.run("check", "-c", path)).toBe(0);
  expect(process.out).toBe(`${path}: no mistakes, some doubts\n`);
  expect(process.err).toContain(`${path}:4:11: warning: l2tp.peers[0]: there is no secret: whoever can send`);
});
