import { describe, expect, it } from "vitest";
import { loadRefusal } from "../../../src/dataplane/xdp/load-refusal.ts";

const refusal = (code: string, log: string) =>
  Object.assign(new Error(`bpf: ${code} (XDP program)`), { code, log });

describe("why the program cannot be loaded", () => {
  it("is what the verifier minds, when it is the verifier", () => {
    const log = [
      "libbpf: prog 'lacewing': BPF program load failed: Permission denied",
      "libbpf: prog 'lacewing': -- BEGIN PROG LOAD LOG --",
      "0: (61) r1 = *(u32 *)(r1 +0)          ; R1=pkt(r=0)",
      "; if (at > frame->end) return false; @ receive.h:40",
      "1: (71) r0 = *(u8 *)(r1 +20)",
      "invalid access to packet, off=20 size=1, R1(id=0,off=20,r=0)",
      "R1 offset is outside of the packet",
      "processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0",
      "-- END PROG LOAD LOG --",
      "libbpf: prog 'lacewing': failed to load: -13",
      "libbpf: failed to load object 'lacewing'",
      "",
    ].join("\n");
    expect(loadRefusal(refusal("EACCES", log))).toBe(
      "the kernel's verifier refuses the program: EACCES, R1 offset is outside of the packet",
    );
  });

  it("is what the kernel refuses else", () => {
    const log = [
      "libbpf: map 'channels': failed to create: Cannot allocate memory(-12)",
      "libbpf: failed to load object 'lacewing'",
    ].join("\n");
    expect(loadRefusal(refusal("ENOMEM", log))).toBe(
      "the kernel does not take the program: ENOMEM, map 'channels': failed to create: Cannot allocate memory(-12)",
    );
    expect(loadRefusal(refusal("EINVAL", ""))).toBe("the kernel does not take the program: EINVAL");
  });

  it("is the error's own message when nothing was logged, or nothing asked of the kernel", () => {
    expect(loadRefusal(new RangeError("channels must be an integer"))).toBe("channels must be an integer");
    expect(loadRefusal("a word")).toBe("a word");
  });
});
