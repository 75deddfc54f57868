import { strict as assert } from "node:assert";
import { Arena } from "../../../ffi/memory.ts";
import {
  SOCKADDR_SIZE,
  type SocketAddress,
  writeSockaddr,
} from "../../../ffi/net/sockaddr.ts";
import { createSatpCodec } from "../../../mod.ts";
import { DatagramBatch } from "../../../src/satp/batch.ts";
import type {
  Cipher,
  Mac,
  MasterKey,
  SyncCryptoEngine,
} from "../../../src/satp/engine.ts";
import { writeHeader } from "../../../src/satp/header.ts";
import { Connections } from "../../../src/tunnel/connection.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PLANE_COUNTERS,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import type { SpaceKeys } from "../../../src/tunnel/number_spaces.ts";
import { StrangerProbe } from "../../../src/tunnel/native/stranger_probe.ts";
import { fastestEngine } from "../../../lab/engines.ts";
import { counting, udpPacket } from "../../../lab/packets.ts";
import { NativeRig, type NativeRigOptions } from "../../fakes/native_rig.ts";
import { whyNoUdpOffload } from "../../fakes/native_rig_peer.ts";
import { paramsOf, secretsOf, usualVector } from "../../vectors/satp.ts";
import { testUnless } from "../../../lab/test_unless.ts";

const VECTOR = usualVector("probe tests");
const PARAMS = paramsOf(VECTOR);
const SIZE = 18;
const SHA1_BYTES = 20;
const MESSAGES = 16;
const MESSAGE_BYTES = 64 * SIZE;

/** All bytes of its keys and tags are the first one of the master key. */
class CountingEngine implements SyncCryptoEngine {
  readonly name = "counting";
  tags = 0;

  importMasterKey([byte = 0]: Uint8Array): MasterKey {
    return {
      encrypt: (memory, at, blocks) => {
        memory.fill(byte, at, at + 16 * blocks);
      },
      close() {},
    };
  }

  beginCipher(): Cipher {
    return { run() {}, flush() {} };
  }

  beginMac(memory: Uint8Array): Mac {
    return {
      run: (keyAt, _at, _size, macAt) => {
        this.tags++;
        memory.fill(memory[keyAt] ?? 0, macAt, macAt + SHA1_BYTES);
      },
      flush() {},
    };
  }
}

const HOME: SocketAddress = {
  address: Uint8Array.of(192, 0, 2, 1),
  port: 4444,
  scope: 0,
};
const STRANGER = { ...HOME, port: 5555 };

/** A joined message: tags by datagram, the muxes too if they are not all 0. */
interface Message {
  readonly from: SocketAddress;
  readonly tags: readonly number[];
  readonly mux?: (k: number) => number;
}

function keysOf(byte: number): SpaceKeys {
  const key = new Uint8Array(16).fill(byte);
  return { role: "left", secrets: { key, salt: new Uint8Array(14) } };
}

/** A connection of mux 0 with a peer at home, and what was received. */
class Receiver {
  readonly engine = new CountingEngine();
  readonly counters = new Float64Array(PLANE_COUNTERS);
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly #arena = new Arena(
    MESSAGES * (MESSAGE_BYTES + SOCKADDR_SIZE) + 8192,
  );
  readonly #at = this.#arena.take(MESSAGES * MESSAGE_BYTES, 64);
  readonly #senders = this.#arena.take(MESSAGES * SOCKADDR_SIZE, 64);
  readonly #probe: StrangerProbe;
  readonly sizes = new Uint32Array(MESSAGES);
  readonly segmentSizes = new Uint32Array(MESSAGES).fill(SIZE);

  constructor(share?: { readonly index: number; readonly of: number }) {
    const arena = this.#arena;
    const bytes = DatagramBatch.regionBytes(PARAMS, MESSAGES);
    const region = arena.take(bytes, 64);
    this.#probe = new StrangerProbe(
      new DatagramBatch(arena.bytes, PARAMS, MESSAGES, region),
      {
        engine: this.engine,
        connections: new Connections(this.table, this.engine),
        counters: this.counters,
        log: { wrongTag() {} },
      },
      share,
    );
    this.table.put(0, { ...keysOf(0), windowSize: 64 }, 0);
    writeSockaddr(arena.view, this.#senders, HOME);
    this.table.endpoints.set(0, arena.words, this.#senders >>> 2);
  }

  at(m: number): number {
    return this.#at + m * MESSAGE_BYTES;
  }

  senderAt(m: number): number {
    return this.#senders + m * SOCKADDR_SIZE;
  }

  /** @returns Which messages are dropped, and how many tags were made for that */
  look(...messages: readonly Message[]): { dropped: number[]; tags: number } {
    this.engine.tags = 0;
    messages.forEach(({ from, tags, mux }, m) => {
      writeSockaddr(this.#arena.view, this.senderAt(m), from);
      this.sizes[m] = tags.length * SIZE;
      tags.forEach((tag, k) => {
        const at = this.at(m) + k * SIZE;
        writeHeader(this.#arena.bytes, at, k, 0, mux?.(k) ?? 0);
        this.#arena.bytes.fill(tag, at + SIZE - PARAMS.tagLength, at + SIZE);
      });
    });
    this.#probe.look(this, messages.length);
    const { forged } = this.#probe;
    const dropped = messages.flatMap((_, m) => forged[m] === 1 ? [m] : []);
    return { dropped, tags: this.engine.tags };
  }

  get wrongTags(): number {
    return this.table.counters.of(0)[ConnectionCounter.WRONG_TAG] ?? 0;
  }
}

const GENUINE = new Array(64).fill(0);
const FORGED = new Array(64).fill(1);

Deno.test("64 joined datagrams of a stranger cost one tag if they are forged, and count all", () => {
  const receiver = new Receiver();
  const flood = Array.from({ length: 16 }, () => {
    return { from: STRANGER, tags: FORGED };
  });
  assert.deepEqual(receiver.look(...flood), {
    dropped: [...flood.keys()],
    tags: 16,
  });
  assert.equal(receiver.wrongTags, 16);
  assert.equal(receiver.counters[PlaneCounter.FORGED_JOINED], 16 * 63);
});

Deno.test("what a known endpoint sends costs nothing, and stays beside a flood", () => {
  const receiver = new Receiver();
  const home = { from: HOME, tags: GENUINE };
  const spoofed = { from: HOME, tags: FORGED };
  assert.deepEqual(receiver.look(home, spoofed), { dropped: [], tags: 0 });
  const flood = { from: STRANGER, tags: FORGED };
  assert.deepEqual(receiver.look(flood, home, flood), {
    dropped: [0, 2],
    tags: 2,
  });
  assert.deepEqual(receiver.look(home), { dropped: [], tags: 0 });
});

Deno.test("a peer that has moved passes with one tag for each message, however short it is", () => {
  const receiver = new Receiver();
  for (let joined = 1; joined <= 64; joined++) {
    const moved = { from: STRANGER, tags: GENUINE.slice(0, joined) };
    const tags = joined < 3 ? 0 : 1;
    assert.deepEqual(receiver.look(moved), { dropped: [], tags });
  }
  assert.equal(receiver.wrongTags, 0);
});

Deno.test("a peer that moves with other keys of its connection passes, and what none opens costs a tag for each", () => {
  const receiver = new Receiver();
  receiver.table.addOpening(0, keysOf(5));
  receiver.table.addOpening(0, keysOf(6));
  const moved = { from: STRANGER, tags: GENUINE.map(() => 6) };
  assert.deepEqual(receiver.look(moved), { dropped: [], tags: 3 });
  const forged = { from: STRANGER, tags: FORGED };
  const before = { from: STRANGER, tags: GENUINE };
  assert.deepEqual(receiver.look(forged, before, moved), {
    dropped: [0],
    tags: 3 + 1 + 3,
  });
  assert.equal(receiver.wrongTags, 1);
});

Deno.test("one recorded datagram among forged ones does not let them pass each time", () => {
  const receiver = new Receiver();
  let passed = 0;
  for (let k = 0; k < 640; k++) {
    const { dropped } = receiver.look({
      from: STRANGER,
      tags: FORGED.with(0, 0),
    });
    if (dropped.length === 0) passed++;
  }
  assert.equal(passed, 10);
});

Deno.test("datagrams that cost no tag do not hide the others from the probe", () => {
  const receiver = new Receiver();
  const mux = (k: number) => k === 37 ? 0 : 9;
  for (let k = 0; k < 64; k++) {
    const hidden = { from: STRANGER, tags: FORGED, mux };
    assert.deepEqual(receiver.look(hidden), { dropped: [0], tags: 1 });
  }
  const unknown = { from: STRANGER, tags: FORGED, mux: () => 9 };
  assert.deepEqual(receiver.look(unknown), { dropped: [], tags: 0 });
});

Deno.test("connections of another worker are left to it", () => {
  const receiver = new Receiver({ index: 1, of: 2 });
  const forged = { from: STRANGER, tags: FORGED };
  assert.deepEqual(receiver.look(forged), { dropped: [], tags: 0 });
});

const missing = whyNoUdpOffload();

function joinedTest(name: string, body: () => Promise<void>): void {
  testUnless([missing], name, body);
}

async function start(): Promise<NativeRig> {
  const options: NativeRigOptions = {
    engine: fastestEngine(),
    workers: 1,
    params: PARAMS,
    secrets: await secretsOf(VECTOR),
    role: "left",
    remote: "home",
    windowSize: 1024,
    gro: true,
  };
  return await NativeRig.start(options);
}

async function sealed(
  packets: readonly Uint8Array[],
  firstSeq: number,
): Promise<Uint8Array[]> {
  const { passphrase } = VECTOR;
  const codec = await createSatpCodec({ passphrase, role: "right" });
  return await Promise.all(
    packets.map((payload, k) =>
      codec.seal({ seq: firstSeq + k, payloadType: 0x0800, payload })
    ),
  );
}

joinedTest(
  "joined datagrams of a stranger are dropped with the first wrong tag, those of a peer that moves are all carried, in order",
  async () => {
    await using rig = await start();
    const packets = Array.from(
      { length: 40 },
      (_, k) => udpPacket({ id: k }, { payload: counting(60, k) }),
    );
    const forged = (await sealed(packets, 1000)).map((datagram) =>
      datagram.with(20, (datagram[20] ?? 0) ^ 1)
    );
    const wrongTags = () => rig.connectionCounter(ConnectionCounter.WRONG_TAG);
    assert.deepEqual(await rig.receiveJoined([forged], "attacker"), []);
    assert.equal(rig.planeCounter(PlaneCounter.FORGED_JOINED), 39);
    assert.equal(wrongTags(), 1);
    assert.equal(rig.remote(), "home");
    const genuine = await sealed(packets, 0);
    assert.deepEqual(await rig.receiveJoined([genuine], "away"), packets);
    assert.equal(rig.remote(), "away");
    assert.deepEqual(await rig.receiveJoined([forged], "away"), []);
    assert.equal(
      wrongTags(),
      41,
      "where a peer is known each one is looked at",
    );
  },
);
