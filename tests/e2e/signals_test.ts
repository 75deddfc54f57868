import assert from "node:assert/strict";
import { labTest } from "../../lab/test_case.ts";
import {
  DEVICE,
  oursAsBinary,
  oursFromSource,
  oursNative,
} from "../../lab/peers.ts";
import { waitingLeft } from "../interop/settings.ts";

const programs = [oursNative, oursFromSource, oursAsBinary];

for (const [index, program] of programs.entries()) {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    labTest(
      `${program.name} ends at ${signal} with status 0 and removes its device`,
      `i-e${signal.slice(3)}${index}`,
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
