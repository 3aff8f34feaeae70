/** Each command of docs/ that is about a running gateway says what docs/ has it say. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRoot } from "../../support/system.ts";
import { replay, titled } from "../pages.ts";
import { Scene } from "./scene.ts";

describe.skipIf(!isRoot)("commands in docs/ about a running gateway", () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.set();
  });
  afterAll(() => scene?.close());
  beforeEach(() => scene.ready());

  it.each(titled("lab"))("%s", async (_title, transcript) => {
    const { is, should } = await replay(transcript, (command) => scene.run(command));
    expect(is).toBe(should);
  });
});
