import assert from "node:assert/strict";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import type { Libc } from "../../../ffi/libc.ts";
import { Arena } from "../../../ffi/memory.ts";
import {
  SOCKADDR_SIZE,
  type SocketAddress,
  writeSockaddr,
} from "../../../ffi/net/sockaddr.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { UdpSocket } from "../../../ffi/net/udp.ts";
import { UdpReceiver, UdpSender } from "../../../ffi/net/udp_batches.ts";
import { openUdpGroup } from "../../../ffi/net/udp_group.ts";
import { libcTest } from "../../fakes/with_libc.ts";

const FAMILIES = [
  { name: "IPv4", address: Uint8Array.of(127, 0, 0, 1), size: 4 },
  { name: "IPv6", address: new Uint8Array(16).with(15, 1), size: 16 },
];
const SOCKETS = 3;
const NUMBER_AT = 6;
/** For what is not delivered in the very call that sends it. */
const PATIENCE_MS = 60_000;

/** Sends datagrams from a socket of its own. */
function sendAll(
  libc: Libc,
  to: SocketAddress,
  datagrams: readonly Uint8Array[],
): void {
  const arena = new Arena(1);
  const from = UdpSocket.open(libc, { ...to, port: 0 });
  const sender = new UdpSender(libc, arena, { messages: 1, pieces: 1 });
  const destination = arena.take(SOCKADDR_SIZE);
  const room = arena.take(2048);
  writeSockaddr(arena.view, destination, to);
  for (const datagram of datagrams) {
    arena.bytes.set(datagram, room);
    sender.clear();
    sender.begin(destination, 0);
    sender.add(room, datagram.length);
    assert.equal(sender.send(from.fd, 0), 1);
  }
  from.close();
}

/** Waits until so many have come, and takes all that have. */
function receivedAt(
  libc: Libc,
  { fd }: UdpSocket,
  expected: number,
): Uint8Array[] {
  const arena = new Arena(64 * 2048 + 65536);
  const waiting = new PollSet(libc, arena, 1);
  waiting.add(fd);
  const receiver = new UdpReceiver(libc, arena, {
    at: arena.take(64 * 2048),
    stride: 2048,
    size: 2048,
    count: 64,
  });
  const datagrams: Uint8Array[] = [];
  do {
    if (datagrams.length < expected) waiting.wait(PATIENCE_MS);
    const count = receiver.receive(fd);
    for (let m = 0; m < count; m++) {
      const size = receiver.sizes[m] ?? 0;
      datagrams.push(arena.slice(receiver.at(m), size).slice());
    }
    if (count === 0) return datagrams;
  } while (datagrams.length < expected);
  return datagrams;
}

function numbered(number: number): Uint8Array {
  const bytes = new Uint8Array(20);
  new DataView(bytes.buffer).setUint16(NUMBER_AT, number);
  return bytes;
}

for (const { name, address, size } of FAMILIES) {
  libcTest(
    `the number in a datagram says which socket of a group gets it over ${name}, whoever sends it`,
    (libc) => {
      const local = { address, port: 0, scope: 0 };
      const sockets = openUdpGroup(libc, local, SOCKETS, NUMBER_AT);
      const to = { ...local, port: sockets[0]?.local.port ?? 0 };
      const numbers = [0, 1, 2, 3, 4, 5, 257, 0x8000, 0xffff];
      for (let peer = 0; peer < 4; peer++) {
        sendAll(libc, to, numbers.map(numbered));
        sockets.forEach((socket, place) => {
          const own = numbers.filter((number) => number % SOCKETS === place);
          assert.deepEqual(
            receivedAt(libc, socket, own.length).map((datagram) =>
              new DataView(datagram.buffer).getUint16(NUMBER_AT)
            ),
            own,
          );
        });
      }
      for (const socket of sockets) socket.close();
    },
  );

  libcTest(
    `a datagram too short for a number comes to the first socket over ${name}`,
    (libc) => {
      const local = { address, port: 0, scope: 0 };
      const sockets = openUdpGroup(libc, local, SOCKETS, NUMBER_AT);
      const to = { ...local, port: sockets[0]?.local.port ?? 0 };
      const short = [0, 6, 7].map((length) => new Uint8Array(length).fill(255));
      sendAll(libc, to, short);
      const expected = [short.length, 0, 0];
      const counts = sockets.map((socket, place) =>
        receivedAt(libc, socket, expected[place] ?? 0).length
      );
      assert.deepEqual(counts, expected);
      for (const socket of sockets) socket.close();
    },
  );

  libcTest(
    `neither another group nor a single socket gets the address of a group over ${name}`,
    (libc) => {
      const anywhere = { address: new Uint8Array(size), port: 0, scope: 0 };
      const sockets = openUdpGroup(libc, anywhere, SOCKETS, NUMBER_AT);
      const taken = { ...anywhere, port: sockets[0]?.local.port ?? 0 };
      const isTaken = (error: unknown) =>
        error instanceof SystemError && error.errno === Errno.EADDRINUSE;
      for (const count of [SOCKETS, 1]) {
        const again = () => openUdpGroup(libc, taken, count, NUMBER_AT);
        assert.throws(again, isTaken);
      }
      for (const socket of sockets) socket.close();
    },
  );
}

libcTest("a group that cannot be complete leaves no socket open", (libc) => {
  const opened = new Set<number>();
  const { symbols } = libc;
  const watched: Libc = {
    ...libc,
    symbols: {
      ...symbols,
      socket(family, type, protocol) {
        const fd = symbols.socket(family, type, protocol);
        opened.add(fd);
        return fd;
      },
      close(fd) {
        opened.delete(fd);
        return symbols.close(fd);
      },
      setsockopt: (fd, level, option, value, size) =>
        option === 51 ? -1 : symbols.setsockopt(fd, level, option, value, size),
    },
  };
  const local = { address: Uint8Array.of(127, 0, 0, 1), port: 0, scope: 0 };
  assert.throws(() => openUdpGroup(watched, local, SOCKETS, NUMBER_AT), {
    message: /distribute datagrams among UDP sockets/,
  });
  assert.deepEqual([...opened], []);
});
