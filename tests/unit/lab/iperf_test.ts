import assert from "node:assert/strict";
import { parseTransfer } from "../../../lab/iperf.ts";

const TCP = JSON.stringify({
  end: {
    sum_sent: { seconds: 3.001, bytes: 200, retransmits: 17 },
    sum_received: { seconds: 3.2, bytes: 150, bits_per_second: 375 },
  },
});

const UDP = JSON.stringify({
  end: {
    sum_sent: { seconds: 3.001, bytes: 200 },
    sum_received: { seconds: 3.2, bytes: 150, bits_per_second: 375 },
  },
});

Deno.test("parseTransfer() reads what arrived, not what was sent", () => {
  assert.deepEqual(parseTransfer(TCP), {
    bytes: 150,
    bitsPerSecond: 375,
    sendSeconds: 3.001,
    retransmits: 17,
  });
});

Deno.test("parseTransfer() reads a UDP report, which has no retransmits", () => {
  assert.equal(parseTransfer(UDP).retransmits, 0);
});

Deno.test("parseTransfer() names the figure that a report lacks", () => {
  const failed = JSON.stringify({ end: {}, error: "unable to connect" });
  assert.throws(() => parseTransfer(failed), /end\.sum_received\.bytes/);
});
