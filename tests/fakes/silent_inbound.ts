import assert from "node:assert/strict";
import type { InboundEvents } from "../../src/tunnel/inbound.ts";

/** Tells nobody what is dropped; a batch must not fail. */
export const SILENT_INBOUND: InboundEvents = {
  wrongTag() {},
  wrongSource() {},
  replay() {},
  unknownMux() {},
  wrongPayloadType() {},
  batchFailed: (error) => assert.fail(String(error)),
};
