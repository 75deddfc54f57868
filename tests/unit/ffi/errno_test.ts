import { strict as assert } from "node:assert";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import type { Libc, LibcSymbols } from "../../../ffi/libc.ts";
import { Arena } from "../../../ffi/memory.ts";
import { UdpReceiver } from "../../../ffi/net/udp_batches.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { PacketPort } from "../../../ffi/tuntap/packet_port.ts";
import { libcTest as test } from "../../fakes/with_libc.ts";

/** A C library whose calls fail, and which finds these errors, one by one. */
function failing(
  libc: Libc,
  symbols: Partial<LibcSymbols>,
  errors: number[],
): Libc {
  const errno = () => errors.shift() ?? 0;
  return {
    symbols: { ...libc.symbols, ...symbols },
    errno,
    error: (what, syscall) => new SystemError(what, syscall, errno()),
    refused: new Map(),
    close: () => {},
  };
}

/** As the runtime may leave it between a call and the look at errno. */
const FOREIGN: number = Errno.ENOENT;

test("an errno that the runtime has left does not make a device lost", (libc) => {
  const symbols = { readAt: () => -1, writeAt: () => -1 };
  const errors: number[] = [FOREIGN, Errno.EAGAIN];
  const port = new PacketPort(
    failing(libc, symbols, errors),
    new Arena(4096),
    0,
  );
  assert.equal(port.read(0, 100), 0);
  errors.push(FOREIGN, Errno.EINVAL);
  assert.equal(port.write(0, 100), false);
});

test("a device is lost when it says so twice", (libc) => {
  const errors: number[] = [FOREIGN, Errno.EBADFD, Errno.EBADFD];
  const fake = failing(libc, { readAt: () => -1 }, errors);
  const port = new PacketPort(fake, new Arena(4096), 0);
  assert.throws(() => port.read(0, 100), { code: "gone" });
});

test("an errno that the runtime has left does not end receiving or waiting", (libc) => {
  const errors: number[] = [FOREIGN, Errno.EAGAIN];
  const arena = new Arena(65536);
  const fake = failing(libc, { recvmmsg: () => -1 }, errors);
  const at = arena.take(4096, 64);
  const receiver = new UdpReceiver(fake, arena, {
    ...{ at, stride: 2048, size: 2048, count: 2 },
  });
  assert.equal(receiver.receive(0), 0);
  errors.push(Errno.EBADF, Errno.EBADF);
  assert.throws(() => receiver.receive(0), { code: "EBADF" });

  const results = [-1, 0];
  const waiting = failing(libc, { poll: () => results.shift() ?? 0 }, [
    FOREIGN,
  ]);
  assert.equal(new PollSet(waiting, arena, 1).wait(0), 0);
});
