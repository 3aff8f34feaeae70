/** The process behind interface-capture.ts: writes pcapng to its standard output until its standard input ends. */

import { writeSync } from "node:fs";
import { release } from "node:os";
import { CaptureRecorder } from "../gateway/capture-recorder.ts";
import { openInterfaceFrames } from "../io/interface-frames.ts";
import { type InterfaceCaptureRequest, REFUSAL_MARK } from "./interface-capture.ts";

/** Frames are written together, so often. */
const FLUSH_MS = 25;
const MAX_REASON_CHARACTERS = 200;

function nowUs(): number {
  return Math.round(1000 * (performance.timeOrigin + performance.now()));
}

function capture(request: InterfaceCaptureRequest): void {
  const { interface: name, filter, snap, rate, seconds, application } = request;
  const { stdout, stdin } = process;
  const startUs = nowUs();
  let recorder: CaptureRecorder | undefined;
  let passedOver = 0;
  let octetsLeft = rate;
  let filledUs = startUs;
  let isOver = false;

  const end = (reason: string): void => {
    if (isOver) return;
    isOver = true;
    clearInterval(timer);
    frames.close();
    stdin.destroy();
    recorder?.end(reason, nowUs(), [passedOver]);
  };
  const look = (): void => {
    const limit = recorder?.limit;
    if (limit !== undefined) end(limit);
    else if (nowUs() - startUs >= 1e6 * seconds) end(`its time of ${seconds} s is over`);
  };
  const frames = openInterfaceFrames(name, filter, (packet) => {
    octetsLeft = Math.min(rate, octetsLeft + ((packet.timeUs - filledUs) * rate) / 1e6);
    filledUs = packet.timeUs;
    if (octetsLeft <= 0) {
      passedOver += 1;
      return;
    }
    const frame = new Uint8Array(packet.frame.subarray(0, snap));
    octetsLeft -= frame.length;
    recorder?.take(0, [{ ...packet, frame }]);
    // under a flood no timer gets its turn
    if (recorder?.isFull) recorder.flush();
    look();
  });
  const sink = {
    get waitingBytes() {
      return stdout.writableLength;
    },
    write: (octets: Uint8Array) => void stdout.write(octets),
    end: () => {},
  };
  recorder = new CaptureRecorder(sink, request, { application, system: `Linux ${release()}` });
  recorder.addInterface({ linkType: frames.linkType, snapBytes: snap, name, filter }, startUs);
  const timer = setInterval(() => {
    recorder?.flush();
    look();
  }, FLUSH_MS);
  let reason = "";
  stdin.setEncoding("utf8").on("data", (text: string) => {
    reason = (reason + text).slice(0, MAX_REASON_CHARACTERS);
  });
  stdin.on("end", () => end(reason || "who captured has gone"));
  // who captures has gone
  stdout.on("error", () => process.exit(1));
  // the keyboard's is for who captures, and he says when it is over
  process.on("SIGINT", () => {});
}

try {
  capture(JSON.parse(process.argv[2] ?? "") as InterfaceCaptureRequest);
} catch (error) {
  writeSync(2, `${REFUSAL_MARK}${(error as Error).message}\n`);
  // the module crashes when it takes apart what it could not open
  process.kill(process.pid, "SIGKILL");
}
