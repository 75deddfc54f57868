// Packets of either way, before the MSS of a SYN is lowered.
import { strict as assert } from "node:assert";
import { SYN, tcpPacket } from "../../../lab/packets.ts";
import { lowerMss, NO_SYN, synAt } from "../../../src/offload/mss.ts";
import { withLowerMss } from "../../oracles/slow_mss.ts";
import { isSame } from "../bytes.ts";
import type { Target } from "../target.ts";

const AT = 32;
const MAX_PACKET = 200;

const OPTIONS = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1];
const ODD = [1, 2, 4, 0x23, 0x28, 0, 0, 0];

/** An input is the most that is let through, in two bytes, and a packet. */
export default function open(): Target {
  const memory = new Uint8Array(2 * AT + MAX_PACKET);
  return {
    seeds: [
      tcpPacket({}, { flags: SYN, options: [...OPTIONS, 1, 1] }),
      tcpPacket({ version: 6 }, { flags: SYN | 16, options: ODD }),
      tcpPacket({ version: 6, optionBytes: 8 }, { flags: SYN, options: ODD }),
      tcpPacket({ optionBytes: 4, fragment: 0 }, { flags: SYN, options: ODD }),
    ].map((packet) => Uint8Array.of(0x05, 0x50, ...packet)),
    maxBytes: 2 + MAX_PACKET,
    run(input) {
      const most = (input[0] ?? 0) << 8 | (input[1] ?? 0);
      const packet = input.slice(2);
      const expected = withLowerMss(packet, most);
      // What lies around it does not matter, and stays.
      for (const around of [0x00, 0x06, 0xff]) {
        memory.fill(around);
        memory.set(packet, AT);
        const end = AT + packet.length;
        const tcp = synAt(memory, AT, end);
        const isLowered = tcp !== NO_SYN && lowerMss(memory, tcp, most);
        assert.equal(isLowered, expected !== packet);
        assert.ok(isSame(memory.subarray(AT, end), expected));
        memory.fill(around, AT, end);
        assert.ok(memory.every((byte) => byte === around));
      }
    },
  };
}
