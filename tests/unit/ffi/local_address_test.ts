import assert from "node:assert/strict";
import { Errno } from "../../../ffi/errno.ts";
import type { Libc } from "../../../ffi/libc.ts";
import { Arena } from "../../../ffi/memory.ts";
import {
  readSockaddr,
  SOCKADDR_SIZE,
  writeSockaddr,
} from "../../../ffi/net/sockaddr.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { UdpSocket } from "../../../ffi/net/udp.ts";
import { UdpReceiver, UdpSender } from "../../../ffi/net/udp_batches.ts";
import { libcTest } from "../../fakes/with_libc.ts";

const SERVER = Uint8Array.of(127, 0, 0, 5);
const CLIENT = Uint8Array.of(127, 0, 0, 1);
const ANY_IPV4 = new Uint8Array(4);
const ANY_IPV6 = new Uint8Array(16);
const LOOPBACK_IPV6 = Uint8Array.from(
  { length: 16 },
  (_, k) => k === 15 ? 1 : 0,
);
const ROOM = 65536;
/** For what is not delivered in the very call that sends it. */
const PATIENCE_MS = 60_000;

/** One socket with what sends and receives on it. */
class End implements Disposable {
  readonly arena = new Arena(4 * ROOM);
  readonly socket: UdpSocket;
  readonly receiver: UdpReceiver;
  readonly #sender: UdpSender;
  readonly #destination: number;
  readonly #data: number;
  readonly #waiting: PollSet;

  constructor(libc: Libc, address: Uint8Array) {
    const { arena } = this;
    this.socket = UdpSocket.open(libc, { address, port: 0, scope: 0 });
    this.socket.enableGro();
    if (this.socket.isAnywhere) this.socket.tellLocalAddresses();
    this.socket.tellClasses();
    this.receiver = new UdpReceiver(libc, arena, {
      ...{ at: arena.take(ROOM), stride: ROOM, size: ROOM, count: 1 },
      locals: true,
    });
    this.receiver.looksForClasses = true;
    this.#sender = new UdpSender(libc, arena, { messages: 1, pieces: 1 });
    this.#destination = arena.take(SOCKADDR_SIZE);
    this.#data = arena.take(3000);
    this.#waiting = new PollSet(libc, arena, 1);
    this.#waiting.add(this.socket.fd);
  }

  /** Sends a run of three datagrams; returns 0, or the error number. */
  send(
    address: Uint8Array,
    port: number,
    source?: number,
    trafficClass = 0,
  ): number {
    const { view } = this.arena;
    writeSockaddr(view, this.#destination, { address, port, scope: 0 });
    this.#sender.clear();
    this.#sender.begin(this.#destination, 1000, source, trafficClass);
    this.#sender.add(this.#data, 3000);
    const sent = this.#sender.send(this.socket.fd, 0);
    return sent === 1 ? 0 : this.#sender.errno;
  }

  /** Waits for one message, and takes it. */
  receive(): number {
    this.#waiting.wait(PATIENCE_MS);
    return this.receiver.receive(this.socket.fd);
  }

  local(): Uint8Array {
    return this.arena.slice(this.receiver.localAt(0), 16).slice();
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

function padded(address: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(address);
  return bytes;
}

for (
  const [family, any, server, client] of [
    ["IPv4", ANY_IPV4, SERVER, CLIENT],
    ["IPv6", ANY_IPV6, LOOPBACK_IPV6, LOOPBACK_IPV6],
  ] as const
) {
  libcTest(
    `an answer over ${family} leaves from the address that was addressed`,
    (libc) => {
      using here = new End(libc, any);
      using there = new End(libc, client);
      assert.equal(there.send(server, here.socket.local.port), 0);
      assert.equal(here.receive(), 1);
      assert.deepEqual(here.local(), padded(server));
      // Told beside the size of what the kernel has joined.
      assert.equal(here.receiver.sizes[0], 3000);
      assert.equal(here.receiver.segmentSizes[0], 1000);
      const { port } = there.socket.local;
      assert.equal(here.receiver.classes[0], 0);
      const local = here.receiver.localAt(0);
      assert.equal(here.send(client, port, local, 0xba), 0);
      assert.equal(there.receive(), 1);
      const from = there.receiver.senderAt(0);
      assert.deepEqual(readSockaddr(there.arena.view, from).address, server);
      assert.equal(there.receiver.segmentSizes[0], 1000);
      assert.equal(there.receiver.classes[0], 0xba);
      assert.deepEqual(there.local(), new Uint8Array(16), "it does not ask");
      there.socket.tellClasses(false);
      assert.equal(here.send(client, port, local, 0xba), 0);
      assert.equal(there.receive(), 1);
      assert.equal(there.receiver.classes[0], 0, "no more");
    },
  );

  libcTest(
    `what a message over ${family} says of itself is not mixed with what one before has said`,
    (libc) => {
      using here = new End(libc, any);
      using there = new End(libc, client);
      const source = here.arena.take(16);
      here.arena.slice(source, server.length).set(server);
      const { port } = there.socket.local;
      const kinds = [
        ...[[], [undefined, 0xba], [source], [source, 0xba]],
      ] as const;
      for (const before of kinds) {
        for (const now of kinds) {
          for (const [from, trafficClass] of [before, now]) {
            assert.equal(here.send(client, port, from, trafficClass), 0);
            assert.equal(there.receive(), 1);
            assert.equal(there.receiver.classes[0], trafficClass ?? 0);
          }
        }
      }
    },
  );

  libcTest(`an address over ${family} that is nobody's is refused`, (libc) => {
    using here = new End(libc, any);
    const source = here.arena.take(16);
    here.arena.slice(source, 16).fill(0x20);
    const errno = here.send(client, 9, source);
    assert.ok(
      [Errno.EINVAL, Errno.ENETUNREACH].includes(errno as 22),
      `${errno}`,
    );
  });
}
