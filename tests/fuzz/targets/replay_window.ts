// The numbers of authentic datagrams, beside the rules of the specification.
import { strict as assert } from "node:assert";
import { ReplayWindow } from "../../../src/satp/replay_window.ts";
import { SlowReplayWindows } from "../../oracles/slow_replay_window.ts";
import { ByteReader } from "../bytes.ts";
import type { Target } from "../target.ts";

const SIZES = [0, 1, 2, 31, 32, 33, 64, 100];
const MAX_SENDERS = 3;

/** An input is a size, and numbers: far away, or beside the one before. */
export default function open(): Target {
  return {
    seeds: [
      Uint8Array.of(6, 1, 128, 1, 129, 1, 129, 1, 100, 1, 255),
      Uint8Array.of(4, 0, 255, 255, 255, 254, 1, 129, 1, 129, 1, 129, 1, 127),
      Uint8Array.of(1, 0, 0, 0, 0, 9, 4, 0, 0, 0, 9, 8, 0, 0, 0, 9, 12, 9, 9),
    ],
    maxBytes: 200,
    run(input) {
      const bytes = new ByteReader(input);
      const size = SIZES[bytes.byte() % SIZES.length] ?? 0;
      const fast = new ReplayWindow(size, MAX_SENDERS);
      const slow = new SlowReplayWindows(size, MAX_SENDERS);
      let seq = 0;
      while (!bytes.isAtEnd) {
        const flags = bytes.byte();
        const id = flags >> 2 & 7;
        seq = flags & 1 ? (seq + bytes.byte() - 128) >>> 0 : bytes.u32();
        const refuses = fast.refuses(id, seq);
        const accepts = slow.accept(id, seq);
        assert.equal(refuses, !accepts);
        assert.equal(fast.accept(id, seq), accepts);
        assert.equal(fast.highest(id), slow.highest(id));
      }
    },
  };
}
