import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The descriptors of this process, and what they are. */
function descriptors(): { fd: number; what: string }[] {
  return readdirSync("/proc/self/fd")
    .filter((fd) => existsSync(`/proc/self/fd/${fd}`))
    .map((fd) => ({ fd: Number(fd), what: readlinkSync(`/proc/self/fd/${fd}`) }));
}

/** What the threads block in that have units: the epoll sets with a TUN queue. */
export function unitPollers(): number[] {
  const queues = descriptors().filter(({ what }) => what === "/dev/net/tun");
  return descriptors()
    .filter(({ fd, what }) => {
      if (!what.includes("eventpoll")) return false;
      const watched = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
      return queues.some((queue) => new RegExp(`^tfd: +${queue.fd} `, "m").test(watched));
    })
    .map(({ fd }) => fd);
}

/** A thread that dies closes what it has blocked in. */
export function isOpen(fd: number): boolean {
  return existsSync(`/proc/self/fd/${fd}`);
}

/** What the descriptor was is refused from now on. The number stays taken, so that its owner closes nobody else's. */
export function replaceByFile(fd: number): void {
  closeSync(fd);
  const opened: number[] = [];
  do opened.push(openSync("/dev/null", "r"));
  while (opened.at(-1) !== fd);
  for (const other of opened.slice(0, -1)) closeSync(other);
}
