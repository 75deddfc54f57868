import assert from "node:assert/strict";
import { FileLocks } from "../../../ffi/process/file_locks.ts";
import {
  openProcessLibc,
  type ProcessLibc,
} from "../../../ffi/process/libc.ts";
import { cString } from "../../../ffi/libc.ts";
import { O } from "../../../ffi/flags.ts";

function test(
  name: string,
  body: (open: (libc?: ProcessLibc) => FileLocks, libc: ProcessLibc) => void,
): void {
  Deno.test(name, () => {
    const libc = openProcessLibc();
    const path = Deno.makeTempFileSync();
    const fds: number[] = [];
    try {
      body((used = libc) => {
        const fd = libc.symbols.open(cString(path), O.WRONLY | O.CLOEXEC, 0);
        fds.push(fd);
        return new FileLocks(used, fd, path);
      }, libc);
    } finally {
      for (const fd of fds) libc.symbols.close(fd);
      Deno.removeSync(path);
      libc.close();
    }
  });
}

test("places are locked one by one, also within a process", (open) => {
  const [one, other] = [open(), open()];
  assert.ok(one.take(0, 1));
  assert.ok(other.take(1, 1));
  assert.ok(!other.take(0, 1));
  one.release(0, 1);
  assert.ok(other.take(0, 1));
});

test(
  "a lock that is not let go of is waited for once, and again when it was had",
  (open, libc) => {
    let tries = 0;
    /** Before which the other one lets go. */
    let until = Infinity;
    const holder = open();
    const waiting = open({
      ...libc,
      process: {
        ...libc.process,
        fcntlLock(...lock) {
          if (++tries === until) holder.release(0, 1);
          return libc.process.fcntlLock(...lock);
        },
      },
    });
    const triesOf = (work: () => void) => {
      tries = 0;
      work();
      return tries;
    };
    assert.ok(holder.take(0, 1));
    assert.ok(triesOf(() => assert.ok(!waiting.wait(0, 1))) > 10);
    assert.equal(triesOf(() => assert.ok(!waiting.wait(0, 1))), 1);
    assert.equal(triesOf(() => assert.ok(!waiting.wait(0, 1))), 1);
    holder.release(0, 1);
    assert.equal(triesOf(() => assert.ok(waiting.wait(0, 1))), 1);
    waiting.release(0, 1);
    assert.ok(holder.take(0, 1));
    until = 3;
    assert.equal(triesOf(() => assert.ok(waiting.wait(0, 1))), 3);
  },
);
