import { expect, it } from "vitest";
import { ConfigFolder } from "../config/config-folder.ts";
import { FakeProcess } from "./fakes.ts";

it("config show tells every value and where it comes from, as a table or as JSON", async () => {
  const path = new ConfigFolder().write("gw.yaml", "name: gw\nlog: { level: debug }\n");
  const process = new FakeProcess();
  expect(await process.run("config", "show", "-c", path)).toBe(0);
  expect(process.out).toMatch(/^KEY +VALUE +ORIGIN/);
  expect(process.out).toMatch(/^log\.level +debug +\S+gw\.yaml:2$/m);
  expect(process.out).toMatch(/^data-plane\.workers +1 +default$/m);
  const json = new FakeProcess();
  expect(await json.run("config", "show", "-c", path, "--json")).toBe(0);
  expect(JSON.parse(json.out)).toContainEqual({ path: "log.level", value: "debug", origin: `${path}:2` });
});
