import { strict as assert } from "node:assert";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import { whyNoAnswer } from "../../../src/cli/daemon_sockets.ts";

Deno.test("who may not ask a daemon is told who may", () => {
  const told = (errno: number) =>
    whyNoAnswer("/a", new SystemError("connect", "connect", errno));
  assert.match(told(Errno.EACCES), /^\/a: .*denied.*; root may ask, and with/);
  assert.match(told(Errno.ENOENT), /^\/a: no daemon answers here; is it/);
});
