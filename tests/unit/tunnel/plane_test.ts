import { strict as assert } from "node:assert";
import { createSatpCodec, type SatpCodec } from "../../../mod.ts";
import type { Role } from "../../../src/satp/params.ts";
import {
  ConnectionCounter,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import type { PlaneOptions, PlaneUnderTest } from "../../fakes/plane_rig.ts";
import { planeOptions, planeTest } from "../../fakes/plane_rigs.ts";
import { secretsOf, usualVector } from "../../vectors/satp.ts";

const VECTOR = usualVector("plane tests");
const MUX = 3;
const OVERHEAD = 20;

function given(changes: Partial<PlaneOptions> = {}): Promise<PlaneOptions> {
  return planeOptions(VECTOR, { mux: MUX, remote: "home", ...changes });
}

function codecOf(role: Role, mux = MUX, senderId = 0): Promise<SatpCodec> {
  const { passphrase } = VECTOR;
  return createSatpCodec({ passphrase, role, mux, senderId });
}

/** Different packets, so that a mixed-up order or content shows. */
function packets(count: number, size = 40): Uint8Array[] {
  return Array.from({ length: count }, (_, k) => {
    const packet = new Uint8Array(size).fill(k);
    packet.set([0x45, k >> 8, k]);
    return packet;
  });
}

async function sealAll(
  codec: SatpCodec,
  payloads: readonly Uint8Array[],
  firstSeq = 0,
  payloadType = 0x0800,
): Promise<Uint8Array[]> {
  return await Promise.all(
    payloads.map((payload, k) =>
      codec.seal({ seq: firstSeq + k, payloadType, payload })
    ),
  );
}

planeTest(
  "packets keep their order through many batches in both directions",
  async (rig) => {
    await using plane = await rig.start(await given({ windowSize: 1024 }));
    const codec = await codecOf("right");
    const expected = packets(200);
    const datagrams = await sealAll(codec, expected);
    assert.deepEqual(await plane.receive(datagrams, "home"), expected);
    const sent = await plane.send(expected);
    const opened = await Promise.all(
      sent.map(({ datagram }) => codec.open(datagram)),
    );
    assert.deepEqual(opened.map(({ payload }) => payload), expected);
    assert.deepEqual(opened.map(({ seq }) => seq), [...expected.keys()]);
  },
);

/** Has a plane go on from a sequence number that is more than 2^31. */
async function countFrom(plane: PlaneUnderTest, seq: number): Promise<void> {
  const { role, secrets } = await given();
  for (const step of [2 ** 31, seq]) {
    plane.table.put(MUX, { role, secrets, windowSize: 0 }, step);
  }
}

planeTest(
  "sequence numbers go on from 2^32 - 1 with 0 and the next sender id",
  async (rig) => {
    await using plane = await rig.start(await given({ senderIds: [7, 900] }));
    await countFrom(plane, 2 ** 32 - 2);
    const sent = await plane.send(packets(4));
    const codec = await codecOf("right");
    const opened = await Promise.all(
      sent.map(({ datagram }) => codec.open(datagram)),
    );
    assert.deepEqual(opened.map(({ seq, senderId }) => [senderId, seq]), [
      [7, 2 ** 32 - 2],
      [7, 2 ** 32 - 1],
      [900, 0],
      [900, 1],
    ]);
    assert.deepEqual(opened.map(({ payload }) => payload), packets(4));
    assert.deepEqual(await plane.stop(), []);
  },
);

planeTest(
  "a connection warns once when half of its numbers are used",
  async (rig) => {
    await using plane = await rig.start(await given({ senderIds: [5, 7] }));
    const codec = await codecOf("right");
    const send = async () => {
      const [sent] = await plane.send(packets(1));
      assert.ok(sent);
      return (await codec.open(sent.datagram)).senderId;
    };
    await countFrom(plane, 2 ** 32 - 1);
    assert.equal(await send(), 5, "it is the first of two");
    await countFrom(plane, 2 ** 31);
    for (let k = 0; k < 3; k++) assert.equal(await send(), 7);
    assert.deepEqual(await plane.stop(), [
      "WARNING: connection 3 has used half of the sequence numbers of its " +
      "last sender id, 7, and will stop sending at 2^32: give both ends new " +
      "keys, or start this one again with --sender-id auto",
    ]);
  },
);

planeTest(
  "a connection stops when its numbers are used up, and goes on with new keys",
  async (rig) => {
    await using plane = await rig.start(await given({ senderIds: [7] }));
    await countFrom(plane, 2 ** 32 - 2);
    const sendEach = async (wanted: number) => {
      let sent = 0;
      for (let k = 0; k < wanted; k++) {
        sent += (await plane.send(packets(1))).length;
      }
      return sent;
    };
    assert.equal(await sendEach(5), 2);
    assert.equal(plane.planeCounter(PlaneCounter.OUT_OF_NUMBERS), 3);
    const { role } = await given();
    const secrets = await secretsOf({ ...VECTOR, passphrase: "another" });
    await plane.connect(MUX, { role, secrets, windowSize: 0 }, "home");
    assert.equal(await sendEach(2), 2);
    const lines = await plane.stop();
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? "", /^WARNING: .* half of the sequence numbers/);
    assert.equal(
      lines[1],
      "ERROR: connection 3 has stopped sending: it has used all sequence " +
        "numbers of its last sender id, 7, and to go on would be to use key " +
        "streams again: give both ends new keys, or start this one again " +
        "with --sender-id auto",
    );
  },
);

planeTest(
  "a dropped packet between others leaves no gap in the numbers",
  async (rig) => {
    await using plane = await rig.start(await given());
    const mixed = packets(30).map((packet, k) =>
      k % 3 === 0 ? new Uint8Array(40) : packet
    );
    const codec = await codecOf("right");
    const opened = await Promise.all(
      (await plane.send(mixed)).map(({ datagram }) => codec.open(datagram)),
    );
    assert.deepEqual(opened.map(({ seq }) => seq), [...Array(20).keys()]);
    assert.deepEqual(
      opened.map(({ payload }) => payload),
      mixed.filter((_, k) => k % 3 !== 0),
    );
  },
);

planeTest(
  "both directions are counted by packets and by bytes of payload",
  async (rig) => {
    await using plane = await rig.start(await given());
    await plane.send([...packets(3, 100), ...packets(2, 41)]);
    const arriving = await sealAll(await codecOf("right"), packets(4, 60));
    await plane.receive(arriving, "home");
    const count = (index: number) => plane.connectionCounter(index);
    assert.equal(count(ConnectionCounter.PACKETS_OUT), 5);
    assert.equal(count(ConnectionCounter.BYTES_OUT), 382);
    assert.equal(count(ConnectionCounter.PACKETS_IN), 4);
    assert.equal(count(ConnectionCounter.BYTES_IN), 240);
    assert.equal(count(ConnectionCounter.SEND_FAILED), 0);
  },
);

planeTest(
  "a datagram is 1600 bytes at most; packets for longer ones are dropped and counted",
  async (rig) => {
    await using plane = await rig.start(await given());
    const longest = 1600 - OVERHEAD;
    const sent = await plane.send([
      ...packets(1, longest + 1),
      ...packets(1, longest),
      ...packets(1, 3000),
    ]);
    assert.deepEqual(sent.map(({ datagram }) => datagram.length), [1600]);
    assert.equal(plane.planeCounter(PlaneCounter.TOO_LONG_OUT), 2);
    assert.equal(plane.table.nextSeq(MUX), 1);
  },
);

planeTest("authentic datagrams are taken up to 1600 bytes", async (rig) => {
  await using plane = await rig.start(await given());
  const codec = await codecOf("right");
  const [longest = new Uint8Array()] = packets(1, 1600 - OVERHEAD);
  const [arriving = new Uint8Array()] = await sealAll(codec, [longest]);
  assert.equal(arriving.length, 1600);
  assert.deepEqual(await plane.receive([arriving], "home"), [longest]);
  const longer = new Uint8Array(1601);
  longer.set(arriving);
  assert.deepEqual(await plane.receive([longer], "home"), []);
  assert.equal(plane.planeCounter(PlaneCounter.TOO_LONG_IN), 1);
});

planeTest(
  "a datagram too short for header and tag is dropped and counted",
  async (rig) => {
    await using plane = await rig.start(await given());
    const short = [0, 1, 8, 17].map((size) => new Uint8Array(size));
    assert.deepEqual(await plane.receive(short, "attacker"), []);
    assert.equal(plane.planeCounter(PlaneCounter.TOO_SHORT_IN), 4);
    assert.equal(plane.remote(), "home");
  },
);

planeTest(
  "what is neither IPv4 nor IPv6 takes no sequence number",
  async (rig) => {
    await using plane = await rig.start(await given());
    const strange = [0x00, 0x35, 0x55, 0x75, 0xf5].map((first) =>
      new Uint8Array(40).fill(first)
    );
    assert.deepEqual(await plane.send([...strange, Uint8Array.of(0x45)]), []);
    assert.equal(plane.planeCounter(PlaneCounter.MALFORMED_OUT), 6);
    assert.equal(plane.table.nextSeq(MUX), 0);
  },
);

planeTest("the payload type follows the version of the packet", async (rig) => {
  await using plane = await rig.start(await given());
  const sent = await plane.send([
    new Uint8Array(40).fill(0x45),
    new Uint8Array(40).fill(0x60),
  ]);
  const codec = await codecOf("right");
  const opened = await Promise.all(
    sent.map(({ datagram }) => codec.open(datagram)),
  );
  assert.deepEqual(
    opened.map(({ payloadType }) => payloadType),
    [0x0800, 0x86dd],
  );
});

planeTest("a tap device carries frames and nothing else", async (rig) => {
  await using plane = await rig.start(await given({ deviceType: "tap" }));
  const codec = await codecOf("right");
  const frames = packets(3, 60);
  const asFrames = await sealAll(codec, frames, 0, 0x6558);
  assert.deepEqual(await plane.receive(asFrames, "home"), frames);
  const asPackets = await sealAll(codec, frames, 3);
  assert.deepEqual(await plane.receive(asPackets, "home"), []);
  const { WRONG_PAYLOAD_TYPE } = ConnectionCounter;
  assert.equal(plane.connectionCounter(WRONG_PAYLOAD_TYPE), 3);
  const [sent] = await plane.send([new Uint8Array(60)]);
  assert.ok(sent);
  assert.equal((await codec.open(sent.datagram)).payloadType, 0x6558);
});

planeTest(
  "an authentic datagram without payload moves the endpoint, but reaches no device",
  async (rig) => {
    await using plane = await rig.start(await given());
    const ping = await sealAll(await codecOf("right"), [new Uint8Array()]);
    assert.deepEqual(await plane.receive(ping, "away"), []);
    assert.equal(plane.remote(), "away");
    assert.equal(plane.connectionCounter(ConnectionCounter.NO_PAYLOAD), 1);
  },
);

planeTest("bad datagrams between good ones harm none of them", async (rig) => {
  await using plane = await rig.start(await given({ windowSize: 256 }));
  const codec = await codecOf("right");
  const expected = packets(90);
  const good = await sealAll(codec, expected);
  const other = await sealAll(await codecOf("right", 9), packets(1));
  const mixed = good.flatMap((datagram, k) => {
    const forged = datagram.slice();
    forged[10] = (forged[10] ?? 0) ^ 0x80;
    const bad = [forged, new Uint8Array(5), other[0] ?? forged, datagram];
    return [datagram, bad[k % 4] ?? forged];
  });
  assert.deepEqual(await plane.receive(mixed, "home"), expected);
  const { WRONG_TAG, REPLAYED } = ConnectionCounter;
  assert.equal(plane.connectionCounter(WRONG_TAG), 23);
  assert.equal(plane.connectionCounter(REPLAYED), 22);
  assert.equal(plane.planeCounter(PlaneCounter.TOO_SHORT_IN), 23);
  assert.equal(plane.planeCounter(PlaneCounter.UNKNOWN_MUX), 22);
});

planeTest("the windows of two senders do not touch each other", async (rig) => {
  await using plane = await rig.start(await given({ windowSize: 8 }));
  const [one, two] = [
    await codecOf("right", MUX, 1),
    await codecOf("right", MUX, 2),
  ];
  const [a = new Uint8Array(), b = new Uint8Array()] = packets(2);
  const far = await sealAll(one, [a], 100_000);
  const near = await sealAll(two, [b], 5);
  assert.deepEqual(await plane.receive([...far, ...near], "home"), [a, b]);
  assert.deepEqual(await plane.receive([...near, ...far], "home"), []);
  assert.equal(plane.connectionCounter(ConnectionCounter.REPLAYED), 2);
});

planeTest(
  "datagrams of several connections in one batch each go their way",
  async (rig) => {
    await using plane = await rig.start(await given({ windowSize: 64 }));
    const { params, role } = await given();
    const others = await Promise.all(
      [[7, "seven"], [65535, "last"]].map(async ([mux, passphrase]) => ({
        mux: Number(mux),
        secrets: await secretsOf({ ...VECTOR, passphrase: String(passphrase) }),
        codec: await createSatpCodec({
          passphrase: String(passphrase),
          role: "right",
          mux: Number(mux),
        }),
      })),
    );
    assert.equal(params.tagLength, 10);
    for (const { mux, secrets } of others) {
      await plane.connect(mux, { role, secrets, windowSize: 64 });
    }
    const codecs = [
      await codecOf("right"),
      ...others.map(({ codec }) => codec),
    ];
    const expected = packets(90);
    const datagrams = await Promise.all(expected.map((payload, k) => {
      const codec = codecs[k % 3];
      assert.ok(codec);
      const seq = Math.floor(k / 3);
      return codec.seal({ seq, payloadType: 0x0800, payload });
    }));
    assert.deepEqual(await plane.receive(datagrams, "home"), expected);
    for (const mux of [MUX, 7, 65535]) {
      const count = (index: number) => plane.connectionCounter(index, mux);
      assert.equal(count(ConnectionCounter.PACKETS_IN), 30, `mux ${mux}`);
      assert.equal(count(ConnectionCounter.BYTES_IN), 1200, `mux ${mux}`);
      assert.equal(plane.remote(mux), "home");
    }
  },
);

planeTest("new keys of a connection take effect at once", async (rig) => {
  await using plane = await rig.start(await given());
  await plane.send(packets(5));
  const secrets = await secretsOf({ ...VECTOR, passphrase: "the next" });
  await plane.connect(MUX, { role: "left", secrets, windowSize: 0 }, "home");
  const codec = await createSatpCodec({
    passphrase: "the next",
    role: "right",
    mux: MUX,
  });
  const [sent] = await plane.send(packets(1));
  assert.ok(sent);
  assert.equal((await codec.open(sent.datagram)).seq, 0);
  const fresh = await sealAll(codec, packets(2));
  assert.deepEqual(await plane.receive(fresh, "home"), packets(2));
  const stale = await sealAll(await codecOf("right"), packets(1));
  assert.deepEqual(await plane.receive(stale, "home"), []);
  assert.equal(plane.connectionCounter(ConnectionCounter.WRONG_TAG), 1);
});

planeTest(
  "a flood of bad datagrams costs few lines, and the rest are counted in one",
  async (rig) => {
    await using plane = await rig.start(await given());
    const [datagram = new Uint8Array()] = await sealAll(
      await codecOf("right"),
      packets(1),
    );
    const forged = datagram.with(9, (datagram[9] ?? 0) ^ 1);
    await plane.receive(new Array(80).fill(forged), "attacker");
    assert.equal(plane.connectionCounter(ConnectionCounter.WRONG_TAG), 80);
    const lines = await plane.stop();
    const said = lines.filter((line) => line.includes("Authentication Tag!"));
    const heldBack = lines.map((line) =>
      /held back (\d+) lines?/.exec(line)?.[1]
    );
    const unsaid = heldBack.reduce((sum, n) => sum + Number(n ?? 0), 0);
    assert.equal(said.length + unsaid, 80);
    assert.ok(lines.length < 20, `${lines.length} lines`);
  },
);

planeTest(
  "while keys change, each datagram is sealed under one of them with a number of its own",
  async (rig) => {
    await using plane = await rig.start(await given());
    const passphrases = Array.from({ length: 31 }, (_, k) => `number ${k}`);
    const change = async (round: number) => {
      const passphrase = passphrases[round] ?? "";
      const secrets = await secretsOf({ ...VECTOR, passphrase });
      return () =>
        plane.table.put(MUX, { role: "left", secrets, windowSize: 0 }, 7);
    };
    (await change(0))();
    const numbers = new Set<string>();
    let sentInAll = 0;
    for (let round = 1; round < passphrases.length; round++) {
      const changeNow = await change(round);
      const sending = plane.send(packets(20));
      changeNow();
      const sent = await sending;
      sentInAll += sent.length;
      const candidates = passphrases.slice(round - 1, round + 1);
      for (const { datagram } of sent) {
        numbers.add(await sealedUnder(candidates, datagram));
      }
    }
    assert.equal(numbers.size, sentInAll);
    const lost = plane.planeCounter(PlaneCounter.NOWHERE_TO_SEND);
    assert.equal(sentInAll + lost, 30 * 20);
  },
);

/** Which of the passphrases a datagram was sealed with, and its number. */
async function sealedUnder(
  passphrases: readonly string[],
  datagram: Uint8Array,
): Promise<string> {
  for (const passphrase of passphrases) {
    const codec = await createSatpCodec({
      passphrase,
      role: "right",
      mux: MUX,
    });
    try {
      return `${passphrase} ${(await codec.open(datagram)).seq}`;
    } catch {
      continue;
    }
  }
  assert.fail("a datagram was sealed under no key, or under half of one");
}
