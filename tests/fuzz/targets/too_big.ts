// Packets that are too long, before their sender is told.
import { strict as assert } from "node:assert";
import { counting, ipPacket, udpPacket } from "../../../lab/packets.ts";
import {
  mayTellTooBig,
  TOO_BIG_BYTES,
  writeTooBig,
} from "../../../src/offload/too_big.ts";
import { tooBig } from "../../oracles/slow_too_big.ts";
import { isSame } from "../bytes.ts";
import type { Target } from "../target.ts";

const AT = 32;
const MAX_PACKET = 1400;

/** An input is how long packets may be, in two bytes, and one of them. */
export default function open(): Target {
  const memory = new Uint8Array(2 * AT + MAX_PACKET);
  const answer = new Uint8Array(2 * AT + TOO_BIG_BYTES);
  const payload = counting(20);
  return {
    seeds: [
      udpPacket({}, { payload }),
      udpPacket({ optionBytes: 8 }, { payload: counting(600) }),
      udpPacket({ version: 6 }, { payload }),
      udpPacket({ version: 6, optionBytes: 8 }, { payload: counting(1300) }),
      ipPacket({}, 1, Uint8Array.of(8, ...payload)),
      ipPacket({ version: 6 }, 58, Uint8Array.of(129, ...payload)),
    ].map((packet) => Uint8Array.of(0x05, 0x00, ...packet)),
    maxBytes: 2 + MAX_PACKET,
    run(input) {
      const mtu = (input[0] ?? 0) << 8 | (input[1] ?? 0);
      const packet = input.slice(2);
      const expected = tooBig(packet, mtu);
      // What lies around it does not matter.
      for (const around of [0x00, 0xff]) {
        memory.fill(around);
        answer.fill(around);
        memory.set(packet, AT);
        const end = AT + packet.length;
        const may = mayTellTooBig(memory, AT, end);
        assert.equal(may, expected !== undefined);
        if (expected === undefined) continue;
        const size = writeTooBig(memory, AT, AT, end, mtu, answer, AT);
        assert.ok(size <= TOO_BIG_BYTES);
        assert.ok(isSame(answer.subarray(AT, AT + size), expected));
        answer.fill(around, AT, AT + size);
        assert.ok(answer.every((byte) => byte === around));
        assert.ok(isSame(memory.subarray(AT, end), packet));
      }
    },
  };
}
