import assert from "node:assert/strict";
import { labTest } from "../support/lab_test_case.ts";
import { DEVICE, oursAsBinary, oursFromSource } from "../support/peers.ts";
import { waitingLeft } from "../interop/settings.ts";

for (const program of [oursFromSource, oursAsBinary]) {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    labTest(
      `${program.name} ends at ${signal} with status 0 and removes its device`,
      `i-e${signal.slice(3)}${program === oursAsBinary ? "b" : "s"}`,
      [program.missing()],
      async ({ left }) => {
        const daemon = await program.start(left, waitingLeft);
        assert.equal(await left.hasDevice(DEVICE), true);

        const status = await daemon.stop(signal);

        assert.equal(status.signal, null);
        assert.equal(status.code, 0);
        assert.equal(await left.hasDevice(DEVICE), false);
      },
    );
  }
}
