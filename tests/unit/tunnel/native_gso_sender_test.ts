import assert from "node:assert/strict";
import fc from "fast-check";
import { Errno } from "../../../ffi/errno.ts";
import type { Libc } from "../../../ffi/libc.ts";
import { openBuiltin } from "../../../src/crypto/builtin.ts";
import { formatEndpoint, parseEndpoint } from "../../../src/net/endpoint.ts";
import { DatagramBatch } from "../../../src/satp/batch.ts";
import {
  type Connection,
  Connections,
} from "../../../src/tunnel/connection.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PLANE_COUNTERS,
} from "../../../src/tunnel/counters.ts";
import { writeEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { LOCAL_WORDS } from "../../../ffi/net/sockaddr.ts";
import {
  GsoSender,
  type SendSockets,
} from "../../../src/tunnel/native/gso_sender.ts";
import { LiveSettings } from "../../../src/tunnel/live_settings.ts";
import { Outbound } from "../../../src/tunnel/outbound.ts";
import { PacketRouter } from "../../../src/tunnel/packet_router.ts";
import { RecordingKernel } from "../../fakes/native_rig_kernel.ts";
import { paramsOf } from "../../vectors/satp.ts";
import { libcTest } from "../../fakes/with_libc.ts";

const PARAMS = paramsOf({
  cipher: "null",
  kd_prf: "null",
  auth_algo: "sha1",
  auth_tag_length: 10,
});
const CAPACITY = 92;
const MINUTE_MS = 60_000;
const MSG_DONTWAIT = 0x40;
const IPV4_FD = 40, IPV6_FD = 60;

/** A sender between two connections and a kernel that only keeps books. */
class Bench {
  readonly kernel = new RecordingKernel();
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly connections = new Connections(this.table, openBuiltin(0).engine);
  readonly noSocket: string[] = [];
  readonly reasons: string[] = [];
  now = 5000;
  /** Of each datagram to send. */
  classes: readonly number[] = [];
  readonly #outbound: Outbound;
  readonly #sender: GsoSender;
  readonly #region: number;

  constructor(
    libc: Libc,
    sockets: SendSockets = { ipv4: IPV4_FD, ipv6: IPV6_FD },
    gso = true,
  ) {
    const { arena } = this.kernel;
    const region = DatagramBatch.regionBytes(PARAMS, CAPACITY);
    this.#outbound = new Outbound(
      new DatagramBatch(arena.bytes, PARAMS, CAPACITY, arena.take(region, 64)),
      {
        connections: this.connections,
        log: {
          nowhereToSend() {},
          numbersLow() {},
          numbersSpent() {},
          batchFailed: assert.ifError,
        },
        counters: new Float64Array(PLANE_COUNTERS),
        live: new LiveSettings(),
      },
      {
        router: new PacketRouter(this.connections, 0, undefined),
        deviceType: "tun",
        senderIds: [0],
        allowWrap: false,
      },
    );
    this.#region = arena.take(CAPACITY * 2048);
    this.#sender = new GsoSender(this.#outbound, {
      libc: this.kernel.libc(libc),
      arena,
      log: {
        noSocket: (to) => this.noSocket.push(formatEndpoint(to)),
        sendFailed: (_, code) => this.reasons.push(code),
      },
      now: () => this.now,
    }, { sockets, gso });
    this.place(1, "192.0.2.1:1001");
    this.place(2, "[2001:db8::2]:1002");
  }

  /** Gives a connection its endpoint. */
  place(mux: number, endpoint: string): void {
    const words = endpointWords();
    writeEndpoint(words, 0, parseEndpoint(endpoint));
    this.table.endpoints.set(mux, words, 0);
    const secrets = { key: new Uint8Array(), salt: new Uint8Array() };
    this.table.put(mux, { role: "left", secrets, windowSize: 0 }, 0);
  }

  connection(mux: number): Connection {
    const connection = this.connections.get(mux);
    assert.ok(connection);
    return connection;
  }

  failed(mux: number): number {
    return this.table.counters.of(mux)[ConnectionCounter.SEND_FAILED] ?? 0;
  }

  dropped(mux: number): number {
    return this.table.counters.of(mux)[ConnectionCounter.SEND_DROPPED] ?? 0;
  }

  /**
   * Sends one batch; returns its datagrams.
   *
   * @param sizes Of each datagram with its tag; not positive for one that is
   * not wanted
   */
  send(sizes: readonly number[], muxOf = (_: number) => 1): Uint8Array[] {
    const { batch, connections } = this.#outbound;
    let at = this.#region;
    batch.count = sizes.length;
    const datagrams = sizes.map((size, i) => {
      const datagram = new Uint8Array(Math.abs(size)).fill(i + 1);
      batch.memory.set(datagram, at);
      batch.at[i] = at;
      batch.size[i] = datagram.length - PARAMS.tagLength;
      batch.wanted[i] = size > 0 ? 1 : 0;
      connections[i] = this.connection(muxOf(i));
      this.#outbound.classes[i] = this.classes[i] ?? 0;
      at += datagram.length;
      return datagram;
    });
    this.#sender.send();
    return datagrams.filter((_, i) => (sizes[i] ?? 0) > 0);
  }

  /** How the datagrams were sent: `3 x 100` is a run, `100` a single one. */
  shape(): string[] {
    return this.kernel.taken.map(({ bytes, segmentSize }) =>
      segmentSize === 0
        ? `${bytes.length}`
        : `${Math.ceil(bytes.length / segmentSize)} x ${segmentSize}`
    );
  }

  /** The bytes of the datagrams taken. */
  sent(): Uint8Array[] {
    return this.kernel.datagrams().map(({ bytes }) => bytes);
  }
}

function refuseRuns(bench: Bench, errno: number): void {
  bench.kernel.errno = errno;
  bench.kernel.takes = ({ segmentSize }) => segmentSize === 0;
}

libcTest(
  "neighbours of one size leave as one message, and one call sends all",
  (libc) => {
    const bench = new Bench(libc);
    const sizes = [100, 100, 100, 200, 200, 50, 50, 60, 30, 30];
    assert.deepEqual(bench.send(sizes), bench.sent());
    // A shorter datagram ends its run; a longer one begins the next.
    assert.deepEqual(bench.shape(), [
      "3 x 100",
      "3 x 200",
      "50",
      "2 x 60",
      "30",
    ]);
    assert.equal(bench.kernel.calls, 1);
  },
);

libcTest("without gso every datagram is a message", (libc) => {
  const bench = new Bench(libc, undefined, false);
  assert.deepEqual(bench.send([100, 100, 100]), bench.sent());
  assert.deepEqual(bench.shape(), ["100", "100", "100"]);
});

libcTest(
  "a dropped datagram is not sent and divides its neighbours",
  (libc) => {
    const bench = new Bench(libc);
    assert.deepEqual(bench.send([100, 100, -100, 100, 100]), bench.sent());
    assert.deepEqual(bench.shape(), ["2 x 100", "2 x 100"]);
  },
);

libcTest(
  "each connection gets its own messages, through a socket of its family",
  (libc) => {
    const bench = new Bench(libc);
    bench.send([100, 100, 100, 100, 100], (i) => i === 2 || i === 3 ? 2 : 1);
    assert.deepEqual(
      bench.kernel.taken.map(({ fd, port }) => [fd, port]),
      [[IPV4_FD, 1001], [IPV6_FD, 1002], [IPV4_FD, 1001]],
    );
    assert.deepEqual(bench.shape(), ["2 x 100", "2 x 100", "100"]);
  },
);

libcTest(
  "a message has no more segments and bytes than any kernel takes",
  (libc) => {
    const bench = new Bench(libc);
    assert.deepEqual(bench.send(new Array(92).fill(40)), bench.sent());
    assert.deepEqual(
      bench.send(new Array(92).fill(1424)),
      bench.sent().slice(92),
    );
    assert.deepEqual(bench.shape(), [
      "64 x 40",
      "28 x 40",
      "46 x 1424",
      "46 x 1424",
    ]);
    for (const { bytes } of bench.kernel.taken) {
      assert.ok(
        bytes.length <= 65507,
      );
    }
  },
);

for (const name of ["EMSGSIZE", "EINVAL", "EIO"] as const) {
  libcTest(
    `a run refused with ${name} leaves datagram by datagram, and its endpoint is spared`,
    (libc) => {
      const bench = new Bench(libc);
      refuseRuns(bench, Errno[name]);
      const sent = bench.send([100, 100, 100, 40, 70, 70]);
      assert.deepEqual(bench.sent(), sent);
      assert.equal(bench.failed(1), 0);
      bench.kernel.takes = () => true;
      bench.kernel.taken.length = 0;
      bench.send([100, 100]);
      assert.deepEqual(bench.shape(), ["100", "100"]);
    },
  );
}

libcTest("an endpoint is spared for a minute", (libc) => {
  const bench = new Bench(libc);
  refuseRuns(bench, Errno.EMSGSIZE);
  bench.send([100, 100]);
  bench.kernel.takes = () => true;
  bench.kernel.taken.length = 0;
  bench.now += MINUTE_MS - 1;
  bench.send([100, 100]);
  bench.now += 1;
  bench.send([100, 100]);
  assert.deepEqual(bench.shape(), ["100", "100", "2 x 100"]);
});

libcTest(
  "only the endpoint that refused is spared, and only while it is that",
  (libc) => {
    const bench = new Bench(libc);
    refuseRuns(bench, Errno.EMSGSIZE);
    bench.send([100, 100]);
    bench.kernel.takes = () => true;
    bench.kernel.taken.length = 0;
    bench.send([100, 100], () => 2);
    bench.place(1, "192.0.2.7:1007");
    bench.send([100, 100]);
    assert.deepEqual(bench.shape(), ["2 x 100", "2 x 100"]);
    assert.equal(bench.kernel.taken[1]?.port, 1007);
  },
);

libcTest(
  "what the network refuses for another reason is no sign against runs",
  (libc) => {
    const bench = new Bench(libc);
    refuseRuns(bench, Errno.EPERM);
    assert.deepEqual(bench.send([100, 100]), bench.sent());
    bench.kernel.takes = () => true;
    bench.kernel.taken.length = 0;
    bench.send([100, 100]);
    assert.deepEqual(bench.shape(), ["2 x 100"]);
  },
);

libcTest("the kernel is told never to wait", (libc) => {
  const bench = new Bench(libc);
  refuseRuns(bench, Errno.EMSGSIZE);
  bench.send([100, 100, 70]);
  assert.ok(bench.kernel.flags.length > 1);
  for (const flags of bench.kernel.flags) assert.equal(flags, MSG_DONTWAIT);
});

for (const name of ["EAGAIN", "ENOBUFS"] as const) {
  libcTest(
    `what meets ${name} is dropped with the rest of the batch, and not tried again`,
    (libc) => {
      const bench = new Bench(libc);
      const { kernel } = bench;
      kernel.errno = Errno[name];
      kernel.takes = ({ bytes }) => bytes.length < 300;
      const sent = bench.send([100, 200, 200, 200, -100, 60, 50]);
      assert.deepEqual(bench.sent(), sent.slice(0, 1));
      assert.deepEqual(kernel.refused.length, 1);
      assert.equal(kernel.calls, 2);
      assert.equal(bench.dropped(1), 5);
      assert.equal(bench.failed(1), 0);

      // The next batch is another attempt, and runs are still in favour.
      kernel.takes = () => true;
      kernel.taken.length = 0;
      bench.send([100, 100]);
      assert.deepEqual(bench.shape(), ["2 x 100"]);
      assert.equal(bench.dropped(1), 5);
    },
  );
}

libcTest("a full socket is not tried for another connection, too", (libc) => {
  const bench = new Bench(libc);
  const { kernel } = bench;
  bench.place(3, "192.0.2.3:1003");
  kernel.errno = Errno.EAGAIN;
  kernel.takes = ({ fd }) => fd !== IPV4_FD;
  bench.send([100, 100, 70, 80, 90], (i) => [1, 1, 3, 2, 3][i] ?? 1);
  assert.deepEqual(kernel.taken.map(({ fd, port }) => [fd, port]), [
    [IPV6_FD, 1002],
  ]);
  assert.equal(kernel.refused.length, 1);
  assert.deepEqual([1, 2, 3].map((mux) => bench.dropped(mux)), [2, 0, 2]);
});

libcTest(
  "a socket that fills while a run leaves datagram by datagram takes no more",
  (libc) => {
    const bench = new Bench(libc);
    const { kernel } = bench;
    kernel.takes = ({ segmentSize, bytes }) => {
      const path = segmentSize > 0;
      kernel.errno = path ? Errno.EMSGSIZE : Errno.EAGAIN;
      return !path && bytes[0] !== 2;
    };
    const sent = bench.send([100, 100, 100, 60]);
    assert.deepEqual(bench.sent(), sent.slice(0, 1));
    assert.equal(kernel.refused.length, 2);
    assert.equal(bench.dropped(1), 3);
    assert.equal(bench.failed(1), 0);
  },
);

libcTest(
  "a datagram that is refused alone is lost and counted, and no other",
  (libc) => {
    const bench = new Bench(libc);
    bench.kernel.errno = Errno.ENETUNREACH;
    bench.kernel.takes = ({ bytes }) => bytes[0] !== 2;
    const sent = bench.send([70, 80, 100, 100]);
    assert.deepEqual(bench.sent(), sent.filter((_, i) => i !== 1));
    assert.equal(bench.failed(1), 1);
    assert.deepEqual(bench.reasons, ["ENETUNREACH"]);
  },
);

libcTest(
  "without a socket of the family the datagrams are counted, and it is said once",
  (libc) => {
    const bench = new Bench(libc, { ipv4: IPV4_FD });
    bench.send([100, 100, -100, 100], (i) => i === 0 ? 1 : 2);
    assert.deepEqual(bench.noSocket, ["[2001:db8::2]:1002"]);
    assert.equal(bench.failed(2), 2);
    assert.deepEqual(bench.shape(), ["100"]);
  },
);

libcTest(
  "whatever the kernel refuses, nothing is lost unless alone, doubled or reordered",
  (libc) => {
    const script = fc.record({
      datagrams: fc.array(
        fc.record({
          size: fc.constantFrom(20, 40, 100, -40),
          mux: fc.constantFrom(1, 1, 1, 2),
        }),
        { maxLength: CAPACITY },
      ),
      atOnce: fc.constantFrom(1, 2, 7, Infinity),
      errno: fc.constantFrom(Errno.EMSGSIZE, Errno.EPERM, Errno.ENETUNREACH),
      /** Whether the next runs, and single datagrams, are taken. */
      runs: fc.infiniteStream(fc.boolean()),
      singles: fc.infiniteStream(fc.boolean()),
    });
    fc.assert(
      fc.property(script, (script) => {
        const bench = new Bench(libc);
        const { kernel } = bench;
        kernel.errno = script.errno;
        kernel.atOnce = script.atOnce;
        kernel.takes = ({ segmentSize }) => {
          const stream = segmentSize > 0 ? script.runs : script.singles;
          return stream.next().value ?? true;
        };
        const sizes = script.datagrams.map(({ size }) => size);
        const muxOf = (i: number) => script.datagrams[i]?.mux ?? 1;
        const sent = bench.send(sizes, muxOf);
        const lost = kernel.refused.filter(({ segmentSize }) =>
          segmentSize === 0
        )
          .map(({ bytes }) => bytes[0] ?? 0);
        const expected = sent.filter(([first = 0]) => !lost.includes(first));
        assert.deepEqual(bench.sent(), expected);
        for (const { port, bytes } of kernel.datagrams()) {
          assert.equal(port, 1000 + muxOf((bytes[0] ?? 0) - 1));
        }
        assert.equal(bench.failed(1) + bench.failed(2), lost.length);
      }),
      { numRuns: 300 },
    );
  },
);

/** Has a peer send to an address of this host. */
function heardAt(bench: Bench, mux: number, address: Uint8Array): void {
  const words = new Uint32Array(LOCAL_WORDS);
  new Uint8Array(words.buffer).set(address);
  const name = bench.table.sealing(mux) ?? 0;
  assert.equal(bench.table.endpoints.setLocal(mux, name, words, 0), true);
}

const LOCAL_IPV4 = Uint8Array.of(203, 0, 113, 9);
const LOCAL_IPV6 = new Uint8Array(16).fill(0xfd);

libcTest(
  "runs and single datagrams leave from where the peer sends to",
  (libc) => {
    const bench = new Bench(libc);
    heardAt(bench, 1, LOCAL_IPV4);
    heardAt(bench, 2, LOCAL_IPV6);
    bench.send([100, 100, 50, 300, 300], (i) => i < 3 ? 1 : 2);
    assert.deepEqual(bench.shape(), ["3 x 100", "2 x 300"]);
    const sources = bench.kernel.taken.map(({ source }) => source);
    assert.deepEqual(sources, [LOCAL_IPV4.join("."), LOCAL_IPV6.join(".")]);
  },
);

for (const errno of [Errno.EINVAL, Errno.EADDRNOTAVAIL, Errno.ENETUNREACH]) {
  libcTest(
    `an address that has gone (${errno}) is forgotten, and nothing is lost`,
    (libc) => {
      const bench = new Bench(libc);
      heardAt(bench, 1, LOCAL_IPV4);
      bench.kernel.errno = errno;
      bench.kernel.takes = ({ source }) => source === "";
      const sizes = [100, 100, 50, 300];
      assert.deepEqual(bench.send(sizes), bench.sent());
      // With that one it may have been the joining that was refused.
      const tries = errno === Errno.EINVAL ? 2 : 1;
      assert.equal(bench.kernel.refused.length, tries);
      bench.send([70]);
      assert.equal(bench.kernel.refused.length, tries, "it is not tried again");
      assert.equal(bench.failed(1), 0);
      heardAt(bench, 1, LOCAL_IPV4);
      bench.kernel.takes = () => true;
      bench.send([80]);
      assert.equal(bench.kernel.taken.at(-1)?.source, LOCAL_IPV4.join("."));
    },
  );
}

for (const name of ["EMSGSIZE", "EINVAL", "EIO"] as const) {
  libcTest(
    `datagrams of a run refused with ${name} leave from where the peer sends to`,
    (libc) => {
      const bench = new Bench(libc);
      heardAt(bench, 1, LOCAL_IPV4);
      bench.connection(1);
      refuseRuns(bench, Errno[name]);
      for (let k = 0; k < 2; k++) bench.send([100, 100, 50, 300]);
      assert.equal(bench.kernel.refused.length, 1, "its endpoint is spared");
      const sources = bench.kernel.taken.map(({ source }) => source);
      assert.deepEqual(sources, new Array(8).fill(LOCAL_IPV4.join(".")));
    },
  );
}

libcTest(
  "whoever speaks first leaves the address to the kernel while the peer is silent",
  (libc) => {
    const bench = new Bench(libc);
    const sources = () => {
      bench.send([100]);
      return bench.kernel.taken.at(-1)?.source;
    };
    heardAt(bench, 1, LOCAL_IPV4);
    bench.table.noteHeard(1, bench.now);
    bench.now += 6000;
    assert.equal(sources(), LOCAL_IPV4.join("."), "the peer speaks first");
    bench.table.endpoints.setCalls(1);
    assert.equal(sources(), "");
    bench.table.noteHeard(1, bench.now);
    assert.equal(sources(), LOCAL_IPV4.join("."));
  },
);

libcTest(
  "at another endpoint the kernel chooses until the peer is heard",
  (libc) => {
    const bench = new Bench(libc);
    heardAt(bench, 1, LOCAL_IPV4);
    bench.place(1, "192.0.2.7:1001");
    bench.send([100]);
    assert.equal(bench.kernel.taken.at(-1)?.source, "");
  },
);

libcTest(
  "a run is of one class of traffic, and so are datagrams that leave one by one",
  (libc) => {
    const bench = new Bench(libc);
    bench.classes = [0xb8, 0xb8, 0, 0, 2];
    bench.send([100, 100, 100, 100, 100]);
    assert.deepEqual(bench.shape(), ["2 x 100", "2 x 100", "100"]);
    const classes = () => bench.kernel.taken.map((one) => one.trafficClass);
    assert.deepEqual(classes(), [0xb8, 0, 2]);
    bench.kernel.taken.length = 0;
    refuseRuns(bench, Errno.EMSGSIZE);
    heardAt(bench, 2, LOCAL_IPV6);
    bench.send([100, 100, 100, 100, 100], () => 2);
    assert.deepEqual(classes(), [0xb8, 0xb8, 0, 0, 2]);
  },
);
