import type { SessionPage } from "../../../src/gateway/operations-views.ts";
import type { SessionView } from "../../../src/gateway/views.ts";
import type { Answer, Failure } from "./answer.ts";
import { Store } from "./store.ts";

/** Rows of one request while somebody scrolls. */
const PART = 200;
/** The most that one request brings: as long as there are no more, all rows are kept fresh by one. */
const MOST = 1000;

export interface ListState {
  readonly rows: readonly SessionView[];
  /** How many there are, and how many of them the filters let through; undefined before the first answer. */
  readonly total: number | undefined;
  readonly matched: number | undefined;
  readonly isLoading: boolean;
  readonly failure: Failure | undefined;
}

const EMPTY: ListState = {
  rows: [],
  total: undefined,
  matched: undefined,
  isLoading: false,
  failure: undefined,
};

type Read = (path: string) => Promise<Answer<SessionPage>>;

/** Sessions in parts, as far as somebody has scrolled. */
export class SessionList {
  readonly state = new Store<ListState>(EMPTY);
  readonly #read: Read;
  #query = "";
  #next: string | null = null;
  /** Answers to what was asked before the query changed are not believed. */
  #round = 0;

  constructor(read: Read) {
    this.#read = read;
  }

  /** Every row is at most some seconds old, since refresh() brings all of them. */
  get isFresh(): boolean {
    return this.state.value.rows.length <= MOST;
  }

  /** Shows other sessions; the old ones stay until the answer comes, so that nothing flickers. */
  async show(query: string): Promise<void> {
    this.#query = query;
    await this.#first(PART);
  }

  async refresh(): Promise<void> {
    const { rows, isLoading, failure } = this.state.value;
    if (isLoading) return;
    if (this.isFresh) await this.#first(Math.max(PART, rows.length));
    else if (failure !== undefined) await this.#following(rows);
  }

  /** The next part, when there is one and nothing is on its way. After a failure it is refresh() that tries again. */
  async more(): Promise<void> {
    const { rows, isLoading, failure } = this.state.value;
    if (!isLoading && failure === undefined) await this.#following(rows);
  }

  async #following(rows: ListState["rows"]): Promise<void> {
    if (this.#next === null) return;
    const round = this.#begin();
    const answer = await this.#read(this.#path(PART, this.#next));
    if (round !== this.#round) return;
    if (!answer.ok) return this.#fail(answer.failure);
    this.#accept(answer.value, [...rows, ...answer.value.sessions]);
  }

  async #first(limit: number): Promise<void> {
    const round = this.#begin();
    const answer = await this.#read(this.#path(limit));
    if (round !== this.#round) return;
    if (answer.ok) this.#accept(answer.value, answer.value.sessions);
    else this.#fail(answer.failure);
  }

  #begin(): number {
    this.#round += 1;
    this.state.set({ ...this.state.value, isLoading: true });
    return this.#round;
  }

  #accept(page: SessionPage, rows: readonly SessionView[]): void {
    this.#next = page.next;
    this.state.set({
      rows,
      total: page.total,
      matched: page.matched,
      isLoading: false,
      failure: undefined,
    });
  }

  #fail(failure: Failure): void {
    this.state.set({ ...this.state.value, isLoading: false, failure });
  }

  #path(limit: number, cursor?: string): string {
    const parameters = new URLSearchParams(this.#query);
    parameters.set("limit", String(limit));
    if (cursor !== undefined) parameters.set("cursor", cursor);
    return `v1/sessions?${parameters}`;
  }
}
