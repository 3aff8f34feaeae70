/** A change in the order of all changes: says when the program cannot work any more by what was before it. */
export type Ticket = number;

/**
 * Grace periods of the program, shared: all changes made before one begins wait for that one. One is under way at a
 * time and one more is wanted at the most, so that thousands of changes a second cost as many grace periods as the
 * kernel does one after the other, and no more.
 */
export class SharedGrace {
  readonly #synchronize: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  /** Grace periods that have begun; the last that is wanted; the last that is over. */
  #begun = 0;
  #wanted = 0;
  #over = 0;
  #running = false;
  #waiting: { readonly ticket: Ticket; readonly then: () => void }[] = [];

  /**
   * `synchronize`: resolves when no run of the program that began before is under way. When it rejects, `failed` is
   * told once, and nobody who waits is until end() is called.
   */
  constructor(synchronize: () => Promise<void>, failed: (error: unknown) => void) {
    this.#synchronize = synchronize;
    this.#failed = failed;
  }

  /** To be taken after a change. */
  ticket(): Ticket {
    this.#wanted = this.#begun + 1;
    if (!this.#running) {
      this.#running = true;
      // what else changes in this turn waits for the same one
      queueMicrotask(() => void this.#run());
    }
    return this.#wanted;
  }

  isOver(ticket: Ticket): boolean {
    return ticket <= this.#over;
  }

  /** `then` runs when the ticket's grace period is over; in the order of the tickets, never before this returns. */
  after(ticket: Ticket, then: () => void): void {
    if (this.isOver(ticket)) queueMicrotask(then);
    else this.#waiting.push({ ticket, then });
  }

  /** Resolves when the ticket's grace period is over. */
  passed(ticket: Ticket): Promise<void> {
    return new Promise((resolve) => this.after(ticket, resolve));
  }

  /** The program is attached nowhere any more: every grace period is over. */
  end(): void {
    this.#end(Number.POSITIVE_INFINITY);
  }

  async #run(): Promise<void> {
    while (this.#over < this.#wanted) {
      this.#begun += 1;
      const passing = this.#begun;
      try {
        await this.#synchronize();
      } catch (error) {
        if (this.#over < passing) this.#failed(error);
        return;
      }
      this.#end(passing);
    }
    this.#running = false;
  }

  #end(ticket: Ticket): void {
    if (ticket <= this.#over) return;
    this.#over = ticket;
    const waiting = this.#waiting;
    // tickets rise along the list
    let due = 0;
    while (due < waiting.length && waiting[due]!.ticket <= ticket) due += 1;
    this.#waiting = waiting.slice(due);
    for (let i = 0; i < due; i++) waiting[i]!.then();
  }
}
