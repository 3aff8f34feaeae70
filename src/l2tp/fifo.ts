/** A first-in, first-out queue as plain data, whose ends cost O(1): a shift() of a long array does not. */
export interface Fifo<T> {
  items: T[];
  /** Index of the first item that has not been taken. */
  head: number;
}

export function createFifo<T>(): Fifo<T> {
  return { items: [], head: 0 };
}

export function fifoLength(fifo: Fifo<unknown>): number {
  return fifo.items.length - fifo.head;
}

export function fifoPush<T>(fifo: Fifo<T>, item: T): void {
  fifo.items.push(item);
}

export function fifoShift<T>(fifo: Fifo<T>): T | undefined {
  const item = fifo.items[fifo.head];
  if (item === undefined) return undefined;
  fifo.head += 1;
  if (fifo.head === fifo.items.length) fifoClear(fifo);
  else if (fifo.head >= 64 && fifo.head * 2 > fifo.items.length) {
    fifo.items = fifo.items.slice(fifo.head);
    fifo.head = 0;
  }
  return item;
}

export function fifoClear(fifo: Fifo<unknown>): void {
  fifo.items = [];
  fifo.head = 0;
}
