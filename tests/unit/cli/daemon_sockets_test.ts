import { strict as assert } from "node:assert";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import {
  usersOfDaemons,
  whyNoAnswer,
} from "../../../src/cli/daemon_sockets.ts";
import { fileTest } from "../../fakes/with_libc.ts";

Deno.test("who may not ask a daemon is told who may", () => {
  const told = (errno: number) =>
    whyNoAnswer("/a", new SystemError("connect", "connect", errno));
  assert.match(told(Errno.EACCES), /^\/a: .*denied.*; root may ask, and with/);
  assert.match(told(Errno.ENOENT), /^\/a: no daemon answers here; is it/);
});

fileTest(
  "who has the folder of sockets is a user of daemons",
  (libc, folder) => {
    // Nobody else may make it somebody's.
    if (Deno.uid() === 0) Deno.chownSync(folder, 12_345, 12_345);
    const { uid } = Deno.statSync(folder);
    const own = usersOfDaemons(libc, folder);
    assert.ok(uid !== null && own.includes(uid));
    assert.equal(own[0], Deno.uid());
    assert.deepEqual(usersOfDaemons(libc, `${folder}/none`), [
      ...[...own.slice(0, -1), undefined],
    ]);
  },
);
