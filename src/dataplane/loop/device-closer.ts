import type { Addon, Watcher } from "../../io/addon.ts";

/** How many devices go at once: the kernel's waits overlap. */
const AT_ONCE = 16;

/** A descriptor that is to be closed, and who waits for it. */
interface Closing {
  readonly fd: number;
  readonly closed: () => void;
}

/** Closes the descriptors of devices, which takes the kernel some 20 ms each, without holding the thread up. */
export class DeviceCloser {
  readonly #addon: Addon;
  /** Eventfds, opened beforehand: to close must not fail for want of descriptors. */
  readonly #idle: number[];
  readonly #waiting: Closing[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #closed = false;

  constructor(addon: Addon) {
    this.#addon = addon;
    this.#idle = Array.from({ length: AT_ONCE }, () => addon.openEvent());
  }

  /** Resolves when the descriptor is closed, and with it the device gone. */
  closeDevice(fd: number): Promise<void> {
    if (this.#closed) {
      this.#addon.close(fd);
      return Promise.resolve();
    }
    const closing = new Promise<void>((closed) => {
      this.#waiting.push({ fd, closed });
      this.#next();
    });
    this.#underWay.add(closing);
    return closing.finally(() => this.#underWay.delete(closing));
  }

  /** Resolves when everything is closed that was to be. What comes later holds its caller up. */
  async close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    this.#closed = true;
    for (const event of this.#idle.splice(0)) this.#addon.close(event);
  }

  #next(): void {
    const done = this.#idle.pop();
    if (done === undefined) return;
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#idle.push(done);
      return;
    }
    const watcher: Watcher = this.#addon.watch(done, () => {
      watcher.close();
      this.#addon.drain(done);
      this.#idle.push(done);
      next.closed();
      this.#next();
    });
    this.#addon.closeAside(next.fd, done);
  }
}
