import assert from "node:assert/strict";
import fc from "fast-check";
import { Errno } from "../../../ffi/errno.ts";
import { GatherList, MessageHeaders } from "../../../ffi/net/messages.ts";
import { type Libc, openLibc } from "../../../ffi/libc.ts";
import { Arena } from "../../../ffi/memory.ts";
import { FOREVER, PollSet } from "../../../ffi/poll.ts";
import {
  copySockaddr,
  readSockaddr,
  sameSockaddr,
  SOCKADDR_SIZE,
  SOCKADDR_WORDS,
  sockaddrFamily,
  sockaddrLength,
  type SocketAddress,
  writeSockaddr,
} from "../../../ffi/net/sockaddr.ts";
import { UdpSocket } from "../../../ffi/net/udp.ts";
import { UdpReceiver, UdpSender } from "../../../ffi/net/udp_batches.ts";
import { fakeLibc } from "../../fakes/fake_libc.ts";
import { libcTest } from "../../fakes/with_libc.ts";

const LOOPBACK: SocketAddress = {
  address: Uint8Array.of(127, 0, 0, 1),
  port: 0,
  scope: 0,
};
const LOOPBACK6: SocketAddress = {
  address: Uint8Array.fromHex("00000000000000000000000000000001"),
  port: 0,
  scope: 0,
};

/** Two sockets on the loopback device, the one sending to the other. */
class Pair {
  readonly arena = new Arena(4 << 20);
  readonly from: UdpSocket;
  readonly to: UdpSocket;
  readonly sender: UdpSender;
  readonly receiver: UdpReceiver;
  readonly destination: number;
  readonly #waiting: PollSet;

  constructor(libc: Libc, local = LOOPBACK, buffers = 16, size = 65536) {
    this.from = UdpSocket.open(libc, local);
    this.to = UdpSocket.open(libc, local);
    this.sender = new UdpSender(libc, this.arena, { messages: 8, pieces: 128 });
    this.receiver = new UdpReceiver(libc, this.arena, {
      at: this.arena.take(buffers * size),
      stride: size,
      size,
      count: buffers,
    });
    this.destination = this.arena.take(SOCKADDR_SIZE);
    writeSockaddr(this.arena.view, this.destination, this.to.local);
    this.#waiting = new PollSet(libc, this.arena, 1);
    this.#waiting.add(this.to.fd);
  }

  /** Adds a message to the batch, each piece in a place of its own. */
  add(pieces: readonly Uint8Array[], segmentSize = 0): void {
    this.sender.begin(this.destination, segmentSize);
    for (const piece of pieces) {
      const at = this.arena.take(piece.length + 1, 1);
      this.arena.bytes.set(piece, at);
      this.sender.add(at, piece.length);
    }
  }

  /** Sends the whole batch, which must succeed. */
  send(): void {
    for (let k = 0; k < this.sender.count;) {
      const sent = this.sender.send(this.from.fd, k);
      assert.ok(sent > 0, `message ${k}: errno ${this.sender.errno}`);
      k += sent;
    }
    this.sender.clear();
  }

  /** Waits for so many bytes and returns the messages. */
  receive(bytes: number): { message: Uint8Array; segmentSize: number }[] {
    const messages = [];
    for (let received = 0; received < bytes;) {
      this.#waiting.wait(FOREVER);
      const count = this.receiver.receive(this.to.fd);
      for (let i = 0; i < count; i++) {
        const size = this.receiver.sizes[i] ?? 0;
        const segmentSize = this.receiver.segmentSizes[i] ?? 0;
        const message = this.arena.slice(this.receiver.at(i), size).slice();
        messages.push({ message, segmentSize });
        received += size;
      }
    }
    return messages;
  }

  close(): void {
    this.from.close();
    this.to.close();
  }
}

const random = (size: number) => crypto.getRandomValues(new Uint8Array(size));
const concat = (parts: readonly Uint8Array[]) =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

/** @returns Why the kernel lets a test not run, or null. */
function missing(has: (libc: Libc) => boolean, what: string) {
  const libc = openLibc();
  try {
    return has(libc) ? null : what;
  } catch {
    return what;
  } finally {
    libc.close();
  }
}

function onSocket(local: SocketAddress, use: (socket: UdpSocket) => boolean) {
  return (libc: Libc) => {
    const socket = UdpSocket.open(libc, local);
    try {
      return use(socket);
    } finally {
      socket.close();
    }
  };
}

const noIpv6 = missing(onSocket(LOOPBACK6, () => true), "there is no IPv6");
const noOffload = missing(
  onSocket(LOOPBACK, (socket) => socket.supportsGso() && socket.enableGro()),
  "the kernel has no UDP GSO and GRO",
);

function test(
  name: string,
  body: (libc: Libc) => void,
  reason: string | null = null,
): void {
  libcTest(name, body, reason);
}

const socketAddresses = fc.record({
  address: fc.constantFrom(4, 16).chain((length) =>
    fc.uint8Array({ minLength: length, maxLength: length })
  ),
  port: fc.integer({ min: 0, max: 65535 }),
  scope: fc.integer({ min: 0, max: 0xffffffff }),
}).map(({ address, port, scope }) => ({
  address,
  port,
  scope: address.length === 16 ? scope : 0,
}));

Deno.test("readSockaddr() reads what writeSockaddr() wrote", () => {
  const view = new DataView(new ArrayBuffer(64));
  fc.assert(fc.property(socketAddresses, (socketAddress) => {
    writeSockaddr(view, 32, socketAddress);
    const { address, port, scope } = readSockaddr(view, 32);
    assert.deepEqual([...address], [...socketAddress.address]);
    assert.equal(port, socketAddress.port);
    assert.equal(scope, socketAddress.scope);
  }));
});

Deno.test("a sockaddr has the layout of ip(7) and ipv6(7)", () => {
  const bytes = new Uint8Array(SOCKADDR_SIZE).fill(0xff);
  const view = new DataView(bytes.buffer);
  const words = new Uint32Array(bytes.buffer);
  writeSockaddr(view, 0, { ...LOOPBACK, port: 4444 });
  assert.equal(bytes.toHex(), "0200115c7f000001" + "00".repeat(20));
  assert.equal(sockaddrLength(words, 0), 16);
  writeSockaddr(view, 0, { ...LOOPBACK6, port: 4444, scope: 3 });
  assert.equal(
    bytes.toHex(),
    "0a00115c00000000" + "00".repeat(15) + "01" + "03000000",
  );
  assert.equal(sockaddrLength(words, 0), 28);
});

Deno.test("sameSockaddr() is true for equal addresses only", () => {
  const view = new DataView(new ArrayBuffer(96));
  const words = new Uint32Array(view.buffer);
  const text = ({ address, port, scope }: SocketAddress) =>
    `${[...address]} ${port} ${scope}`;
  const similar = socketAddresses.chain((one) =>
    fc.tuple(
      fc.constant(one),
      fc.oneof(
        fc.constant(one),
        socketAddresses,
        fc.nat(one.address.length - 1).map((at) => ({
          ...one,
          address: one.address.with(at, (one.address[at] ?? 0) ^ 1),
        })),
        fc.constant({ ...one, port: one.port ^ 1 }),
        fc.constant({
          ...one,
          scope: one.address.length === 16 ? (one.scope ^ 1) >>> 0 : 0,
        }),
      ),
    )
  );
  fc.assert(fc.property(similar, ([one, other]) => {
    writeSockaddr(view, 0, one);
    writeSockaddr(view, 64, other);
    const same = sameSockaddr(words, 0, words, 16);
    assert.equal(same, text(one) === text(other));
  }));
});

Deno.test("sameSockaddr() overlooks what an IPv4 address leaves unused, and flow information", () => {
  for (
    const [address, unused] of [
      [LOOPBACK, [8, 12, 16, 20, 24]],
      [LOOPBACK6, [4]],
    ] as const
  ) {
    const view = new DataView(new ArrayBuffer(64));
    const words = new Uint32Array(view.buffer);
    for (const at of [0, 32]) writeSockaddr(view, at, { ...address, port: 1 });
    for (const at of unused) view.setUint32(32 + at, 0xdeadbeef);
    assert.equal(sameSockaddr(words, 0, words, 8), true);
    const { port, scope, ...rest } = readSockaddr(view, 32);
    assert.deepEqual(
      { ...rest, port, scope },
      { ...address, port: 1 },
    );
  }
});

test(
  "an address that the kernel wrote is the one that we write, whatever lay there before",
  (libc) => {
    const later = new Pair(libc, LOOPBACK);
    const pairs = [new Pair(libc, LOOPBACK6), later];
    const { receiver, arena: { words } } = later;
    const own = new Uint32Array(SOCKADDR_WORDS);
    for (const pair of pairs) {
      pair.add([Uint8Array.of(1)]);
      pair.send();
      while (receiver.receive(pair.to.fd) === 0);
      writeSockaddr(new DataView(own.buffer), 0, pair.from.local);
      assert.ok(sameSockaddr(words, receiver.senderAt(0) >>> 2, own, 0));
    }
    for (const pair of pairs) pair.close();
  },
  noIpv6,
);

Deno.test("copySockaddr() copies an address, and none of what lies around it", () => {
  const from = Uint32Array.from({ length: 9 }, (_, k) => k + 1);
  const to = new Uint32Array(9);
  copySockaddr(from, 1, to, 1);
  assert.deepEqual([...to], [0, 2, 3, 4, 5, 6, 7, 8, 0]);
});

Deno.test("sockaddrFamily() knows both families, and where there is no address", () => {
  const view = new DataView(new ArrayBuffer(64));
  const words = new Uint32Array(view.buffer);
  assert.equal(sockaddrFamily(words, 8), 0);
  writeSockaddr(view, 32, LOOPBACK);
  assert.equal(sockaddrFamily(words, 8), 4);
  writeSockaddr(view, 32, LOOPBACK6);
  assert.equal(sockaddrFamily(words, 8), 6);
});

Deno.test("a gather list joins pieces that adjoin, unless divided", () => {
  const arena = new Arena(65536);
  const list = new GatherList(arena, 3);
  const first = list.next;
  list.add(1000, 10);
  list.add(1010, 5);
  list.add(2000, 7);
  list.divide();
  list.add(2007, 1);
  assert.equal(list.length, 3);
  const iovecs = Array.from({ length: 3 }, (_, k) => [
    arena.view.getBigUint64(first + k * 16, true) - arena.address(0),
    arena.view.getBigUint64(first + k * 16 + 8, true),
  ]);
  assert.deepEqual(iovecs, [[1000n, 15n], [2000n, 7n], [2007n, 1n]]);
});

Deno.test("a gather list refuses more than it holds, and what is outside", () => {
  const arena = new Arena(65536);
  const list = new GatherList(arena, 1);
  assert.throws(() => list.add(65530, 7), { name: "RangeError" });
  list.add(0, 1);
  assert.throws(() => list.add(2, 1), { name: "RangeError" });
  list.clear();
  list.add(2, 1);
  assert.equal(list.length, 1);
});

for (
  const [family, local, reason] of [
    ["IPv4", LOOPBACK, null],
    ["IPv6", LOOPBACK6, noIpv6],
  ] as const
) {
  test(`a batch of ${family} datagrams arrives as it was sent`, (libc) => {
    const pair = new Pair(libc, local);
    const sent = [1, 0, 1420, 9000, 3, 65507].map(random);
    // An empty datagram has no piece at all.
    for (const datagram of sent) {
      pair.add(datagram.length > 0 ? [datagram] : []);
    }
    pair.send();
    const received = pair.receive(1 + 1420 + 9000 + 3 + 65507);
    assert.deepEqual(received.map(({ message }) => message), sent);
    assert.deepEqual(
      received.map(({ segmentSize }) => segmentSize),
      sent.map((datagram) => datagram.length),
    );
    const from = readSockaddr(pair.arena.view, pair.receiver.senderAt(0));
    assert.deepEqual(from, pair.from.local);
    pair.close();
  }, reason);

  test(`a run of ${family} datagrams is cut into its segments`, (libc) => {
    const pair = new Pair(libc, local);
    const sent = [1000, 1000, 1000, 1000, 17].map(random);
    pair.add(sent, 1000);
    pair.send();
    const received = pair.receive(4017).map(({ message }) => message);
    assert.deepEqual(received, sent);
    pair.close();
  }, reason ?? noOffload);

  test(`a run of ${family} datagrams stays one message with GRO`, (libc) => {
    const pair = new Pair(libc, local);
    assert.equal(pair.to.enableGro(), true);
    const run = [1000, 1000, 1000, 17].map(random);
    const single = random(500);
    pair.add(run, 1000);
    pair.add([single]);
    pair.add(run, 1000);
    pair.send();
    assert.deepEqual(pair.receive(2 * 3017 + 500), [
      { message: concat(run), segmentSize: 1000 },
      { message: single, segmentSize: 500 },
      { message: concat(run), segmentSize: 1000 },
    ]);
    // Again, because a receive call wears out the lengths that it is given.
    pair.add(run, 1000);
    pair.add(run, 1000);
    pair.send();
    assert.deepEqual(pair.receive(2 * 3017), [
      { message: concat(run), segmentSize: 1000 },
      { message: concat(run), segmentSize: 1000 },
    ]);
    pair.close();
  }, reason ?? noOffload);
}

test("a message of datagrams that have no bytes is one datagram", (libc) => {
  // No Linux says so: whoever cuts it up would never come to an end.
  const { recvmmsg } = libc.symbols;
  const pair = new Pair({
    ...libc,
    symbols: {
      ...libc.symbols,
      recvmmsg(...args) {
        const count = recvmmsg(...args);
        const { words } = pair.arena;
        for (let k = 0; k + 2 < words.length; k++) {
          // struct cmsghdr: SOL_UDP, UDP_GRO, and the size behind it.
          if (words[k] === 17 && words[k + 1] === 104) words[k + 2] = 0;
        }
        return count;
      },
    },
  });
  assert.equal(pair.to.enableGro(), true);
  const run = [1000, 1000].map(random);
  pair.add(run, 1000);
  pair.send();
  assert.deepEqual(pair.receive(2000), [
    { message: concat(run), segmentSize: 2000 },
  ]);
  pair.close();
}, noOffload);

test("receive() gives what does not fit into a batch in the next", (libc) => {
  const pair = new Pair(libc, LOOPBACK, 3, 2048);
  const sent = [1, 2, 3, 4, 5, 6, 7].map(random);
  for (const datagram of sent) pair.add([datagram]);
  pair.send();
  const received = pair.receive(28).map(({ message }) => message);
  assert.deepEqual(received, sent);
  assert.equal(pair.receiver.receive(pair.to.fd), 0);
  pair.close();
});

test("receive() reports a datagram that was too long as empty", (libc) => {
  const pair = new Pair(libc, LOOPBACK, 4, 2048);
  pair.add([random(2049)]);
  pair.add([random(2048)]);
  pair.send();
  const sizes = pair.receive(2048).map(({ message }) => message.length);
  assert.deepEqual(sizes, [0, 2048]);
  pair.close();
});

test("receive() takes a short want of memory for nothing received", (libc) => {
  const pair = new Pair(libc);
  const outcomes = { ENOBUFS: 0, ECONNREFUSED: 0, EINTR: 0 };
  for (const code of Object.keys(outcomes) as (keyof typeof outcomes)[]) {
    const fake = fakeLibc(libc, { recvmmsg: () => -1 }, Errno[code]);
    const buffers = { at: 0, stride: 64, size: 64, count: 1 };
    const receiver = new UdpReceiver(fake, pair.arena, buffers);
    assert.equal(receiver.receive(pair.to.fd), 0);
  }
  assert.throws(() => pair.receiver.receive(-1), {
    syscall: "recvmmsg",
    code: "EBADF",
  });
  pair.close();
});

test("send() stops at the message that is refused, and says why", (libc) => {
  const pair = new Pair(libc);
  const [first, last] = [random(10), random(20)];
  pair.add([first]);
  pair.add([random(65508)]);
  pair.add([last]);
  assert.equal(pair.sender.count, 3);
  assert.equal(pair.sender.send(pair.from.fd, 0), 1);
  assert.equal(pair.sender.send(pair.from.fd, 1), 0);
  assert.equal(pair.sender.errno, Errno.EMSGSIZE);
  assert.equal(pair.sender.send(pair.from.fd, 2), 1);
  const received = pair.receive(30).map(({ message }) => message);
  assert.deepEqual(received, [first, last]);
  pair.close();
});

test("messages that adjoin in memory stay apart", (libc) => {
  const pair = new Pair(libc);
  const at = pair.arena.take(300);
  pair.arena.bytes.set(random(300), at);
  for (const start of [0, 100, 200]) {
    pair.sender.begin(pair.destination, 0);
    pair.sender.add(at + start, 100);
  }
  pair.send();
  const received = pair.receive(300).map(({ message }) => message);
  const slice = (start: number) => pair.arena.slice(at + start, 100).slice();
  assert.deepEqual(received, [slice(0), slice(100), slice(200)]);
  pair.close();
});

test("a single datagram after a run is not cut", (libc) => {
  const pair = new Pair(libc);
  pair.add([random(100), random(100)], 100);
  pair.send();
  pair.receive(200);
  const single = random(150);
  pair.add([single]);
  pair.send();
  assert.deepEqual(pair.receive(150), [{ message: single, segmentSize: 150 }]);
  pair.close();
}, noOffload);

test("send() sends nothing of the batch before", (libc) => {
  const pair = new Pair(libc);
  for (const size of [1, 2, 3]) pair.add([random(size)]);
  pair.send();
  for (const size of [4, 5]) pair.add([random(size)]);
  assert.equal(pair.sender.send(pair.from.fd, 1), 1);
  const sizes = pair.receive(11).map(({ segmentSize }) => segmentSize);
  assert.deepEqual(sizes, [1, 2, 3, 5]);
  pair.close();
});

test("a control message of another kind is not taken for one's own", () => {
  const headers = new MessageHeaders(new Arena(65536), 1);
  const at = headers.addControl(0, 17, 104, 4);
  assert.equal(headers.findControl(0, 17, 104, 4), at);
  assert.equal(headers.findControl(0, 17, 104, 8), 0);
  assert.equal(headers.findControl(0, 17, 103, 4), 0);
  assert.equal(headers.findControl(0, 1, 104, 4), 0);
  headers.clearControl(0);
  assert.equal(headers.findControl(0, 17, 104, 4), 0);
});

test("there is room for three control messages, each of which is found", () => {
  const arena = new Arena(65536);
  const headers = new MessageHeaders(arena, 2);
  const kinds = [[41, 50, 20], [17, 103, 2], [41, 67, 4]] as const;
  for (const i of [1, 0]) {
    headers.clearControl(i);
    const places = kinds.map(([level, type, size]) =>
      headers.addControl(i, level, type, size)
    );
    assert.deepEqual(
      kinds.map(([level, type, size]) =>
        headers.findControl(i, level, type, size)
      ),
      places,
    );
    assert.throws(() => headers.addControl(i, 1, 1, 1), RangeError);
  }
});

test("send() goes on after an interruption", (libc) => {
  let calls = 0;
  const fake = fakeLibc(libc, {
    sendmmsg: () => ++calls < 3 ? -1 : 1,
  }, Errno.EINTR);
  const arena = new Arena(65536);
  const sender = new UdpSender(fake, arena, { messages: 1, pieces: 1 });
  sender.begin(arena.take(SOCKADDR_SIZE), 0);
  assert.equal(sender.send(0, 0), 1);
  assert.equal(calls, 3);
});

test("a batch takes no more messages and pieces than it was made for", (libc) => {
  const arena = new Arena(65536);
  const sender = new UdpSender(libc, arena, { messages: 2, pieces: 2 });
  const destination = arena.take(SOCKADDR_SIZE);
  sender.begin(destination, 0);
  sender.add(0, 1);
  sender.add(2, 1);
  sender.begin(destination, 0);
  assert.throws(() => sender.add(4, 1), { name: "RangeError" });
  assert.throws(() => sender.begin(destination, 0), { name: "RangeError" });
  sender.clear();
  sender.begin(destination, 0);
  sender.add(0, 1);
  sender.add(2, 1);
  assert.equal(sender.count, 1);
});

test("a socket is bound to the port it was given, and no second one", (libc) => {
  const socket = UdpSocket.open(libc, LOOPBACK);
  assert.notEqual(socket.local.port, 0);
  assert.throws(() => UdpSocket.open(libc, socket.local), {
    syscall: "bind",
    code: "EADDRINUSE",
    message: `Cannot bind a UDP socket to port ${socket.local.port}: ` +
      "Address already in use (bind(), EADDRINUSE)",
  });
  socket.close();
  UdpSocket.open(libc, socket.local).close();
});

test("a socket that cannot be bound leaves no descriptor behind", (libc) => {
  const closed: number[] = [];
  const fake = fakeLibc(libc, {
    socket: () => 4711,
    setsockopt: () => 0,
    bind: () => -1,
    close: (fd) => closed.push(fd),
  }, Errno.EADDRINUSE);
  assert.throws(() => UdpSocket.open(fake, LOOPBACK), { code: "EADDRINUSE" });
  assert.deepEqual(closed, [4711]);
});

test("an IPv6 socket leaves the port of IPv4 alone", (libc) => {
  const anyAddress = (length: number, port: number) => ({
    address: new Uint8Array(length),
    port,
    scope: 0,
  });
  const ipv6 = UdpSocket.open(libc, anyAddress(16, 0));
  const ipv4 = UdpSocket.open(libc, anyAddress(4, ipv6.local.port));
  assert.equal(ipv4.local.port, ipv6.local.port);
  ipv4.close();
  ipv6.close();
}, noIpv6);

test("resizeBuffers() tells what the kernel gave", (libc) => {
  const socket = UdpSocket.open(libc, LOOPBACK);
  const given = socket.resizeBuffers({ send: 20_000, receive: 30_000 });
  assert.deepEqual(given, { send: 20_000, receive: 30_000 });
  socket.close();
});

test("resizeBuffers() makes do with the limit without the right to more", (libc) => {
  const { setsockopt } = libc.symbols;
  const isForce = (option: number) => option === 32 || option === 33;
  const fake = fakeLibc(libc, {
    setsockopt: (fd, level, option, value, size) =>
      isForce(option) ? -1 : setsockopt(fd, level, option, value, size),
  }, Errno.EPERM);
  const socket = UdpSocket.open(fake, LOOPBACK);
  const limit = Number(Deno.readTextFileSync("/proc/sys/net/core/rmem_max"));
  const given = socket.resizeBuffers({ send: 20_000, receive: 2 * limit });
  assert.deepEqual(given, { send: 20_000, receive: limit });
  socket.close();
});

libcTest("a socket tells how much it had no room for", (libc) => {
  const pair = new Pair(libc);
  try {
    pair.to.resizeBuffers({ send: 4096, receive: 4096 });
    assert.equal(pair.to.dropped, 0);
    for (let k = 0; k < 64; k++) {
      pair.add([new Uint8Array(1000)]);
      pair.send();
    }
    let received = 0;
    // In a moment, where they are not delivered in the very call that sends.
    const end = performance.now() + 60_000;
    while (received + pair.to.dropped < 64 && performance.now() < end) {
      received += pair.receiver.receive(pair.to.fd);
    }
    assert.ok(received < 16, "not all of them fit");
    assert.equal(pair.to.dropped, 64 - received);
  } finally {
    pair.close();
  }
});
