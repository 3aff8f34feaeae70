import { describe, expect, it } from "vitest";
import type { SessionPage } from "../../src/gateway/operations-views.ts";
import type { Answer } from "../../web/src/client/answer.ts";
import { SessionList } from "../../web/src/client/session-list.ts";
import { rowWindow, scrollToRow } from "../../web/src/parts/row-window.ts";
import { lacSession } from "../control/sample-operations.ts";

describe("the rows that are drawn", () => {
  it.each([
    [0, 340, 64_000, { first: 0, end: 18 }],
    [34_000, 340, 64_000, { first: 992, end: 1018 }],
    [64_000 * 34, 340, 64_000, { first: 63_992, end: 64_000 }],
    [0, 340, 3, { first: 0, end: 3 }],
    [900, 340, 0, { first: 0, end: 0 }],
  ])("are those that are seen and some around: scrolled to %d", (top, height, rows, window) => {
    expect(rowWindow(top, height, 34, rows)).toEqual(window);
  });

  it("are few, wherever somebody is", () => {
    for (let top = 0; top < 64_000 * 34; top += 9999) {
      const { first, end } = rowWindow(top, 600, 34, 64_000);
      expect(end - first).toBeLessThan(36);
    }
  });

  it("are brought into view by the shortest way", () => {
    expect(scrollToRow(5, 0, 340, 34)).toBe(0);
    expect(scrollToRow(20, 0, 340, 34)).toBe(21 * 34 - 340);
    expect(scrollToRow(3, 340, 340, 34)).toBe(3 * 34);
  });
});

/** A gateway with so many sessions; answers when told to. */
class FakeGateway {
  readonly asked: string[] = [];
  readonly #waiting: ((answer: Answer<SessionPage>) => void)[] = [];
  total = 1000;

  readonly read = (path: string): Promise<Answer<SessionPage>> => {
    this.asked.push(path);
    return new Promise((resolve) => this.#waiting.push(resolve));
  };

  /** Answers the request that was made first, or `which`. */
  async answer(which = 0): Promise<void> {
    const path = this.asked.splice(which, 1)[0] ?? "";
    const query = new URLSearchParams(path.split("?")[1]);
    const from = Number(query.get("cursor") ?? 0);
    const end = Math.min(this.total, from + Number(query.get("limit")));
    const sessions = Array.from({ length: end - from }, (_, i) => ({
      ...lacSession,
      id: `s${from + i}`,
      user: query.get("user"),
    }));
    const next = end < this.total ? String(end) : null;
    this.#waiting.splice(which, 1)[0]?.({
      ok: true,
      value: { total: this.total, matched: this.total, next, sessions },
    });
    await Promise.resolve();
    await Promise.resolve();
  }

  async fail(): Promise<void> {
    this.asked.shift();
    this.#waiting.shift()?.({ ok: false, failure: { kind: "away" } });
    await Promise.resolve();
    await Promise.resolve();
  }
}

async function shown(query = "sort=user"): Promise<{ gateway: FakeGateway; list: SessionList }> {
  const gateway = new FakeGateway();
  const list = new SessionList(gateway.read);
  void list.show(query);
  await gateway.answer();
  return { gateway, list };
}

const ids = (list: SessionList) => list.state.value.rows.map(({ id }) => id);

describe("the list of sessions", () => {
  it("grows part by part as somebody scrolls, each part once", async () => {
    const { gateway, list } = await shown();
    expect(list.state.value).toMatchObject({ matched: 1000, isLoading: false });
    void list.more();
    void list.more();
    expect(gateway.asked).toEqual(["v1/sessions?sort=user&limit=200&cursor=200"]);
    await gateway.answer();
    expect(new Set(ids(list)).size).toBe(400);
    for (let part = 0; part < 5; part++) {
      void list.more();
      await gateway.answer();
    }
    expect(ids(list).length).toBe(1000);
    void list.more();
    expect(gateway.asked).toEqual([]);
  });

  it("is read again whole, as long as one request can bring it", async () => {
    const { gateway, list } = await shown();
    void list.more();
    await gateway.answer();
    void list.refresh();
    expect(gateway.asked).toEqual(["v1/sessions?sort=user&limit=400"]);
    gateway.total = 300;
    await gateway.answer();
    expect(ids(list).length).toBe(300);
  });

  it("does not believe an answer to an older question", async () => {
    const { gateway, list } = await shown();
    void list.show("user=alice");
    void list.show("user=bob");
    await gateway.answer(1);
    await gateway.answer(0);
    expect(list.state.value.rows.at(0)?.user).toBe("bob");
  });

  it("keeps what it has when the gateway goes away", async () => {
    const { gateway, list } = await shown();
    void list.refresh();
    await gateway.fail();
    expect(list.state.value).toMatchObject({ isLoading: false, failure: { kind: "away" } });
    expect(ids(list).length).toBe(200);
    void list.more();
    expect(gateway.asked).toEqual([]);
    void list.refresh();
    await gateway.answer();
    expect(list.state.value.failure).toBeUndefined();
  });
});
