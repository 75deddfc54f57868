import { strict as assert } from "node:assert";
import { ReplayWindow } from "../../mod.ts";
import { loadVectors } from "./vectors.ts";

interface ReplayVectors {
  readonly sequences: readonly {
    readonly id: string;
    readonly program: string;
    readonly window: number;
    readonly description: string;
    readonly packets: readonly {
      readonly sender_id: number;
      readonly seq: number;
      readonly decision: "accept" | "drop";
    }[];
  }[];
}

const { sequences } = loadVectors<ReplayVectors>("replay.json");

Deno.test("the recorded replay decisions are all there", () => {
  const decisions = sequences.flatMap(({ packets }) => packets);
  assert.equal(decisions.length, 2414);
});

for (const { id, program, window: size, description, packets } of sequences) {
  Deno.test(`a window of ${size} decides as ${program} in ${id}: ${description}`, () => {
    const window = new ReplayWindow(size);
    for (const [index, { sender_id, seq, decision }] of packets.entries()) {
      const accepted = window.accept(sender_id, seq) ? "accept" : "drop";
      assert.equal(accepted, decision, `packet ${index}, number ${seq}`);
    }
  });
}
