import assert from "node:assert/strict";
import { SOCKADDR_WORDS } from "../../../ffi/net/sockaddr.ts";
import { createSatpCodec } from "../../../mod.ts";
import { openBuiltin } from "../../../src/crypto/builtin.ts";
import { hkdf } from "../../../src/crypto/hkdf.ts";
import { ClockHealing } from "../../../src/daemon/clock_healing.ts";
import { EpochSchedule } from "../../../src/satp/epoch_schedule.ts";
import { KeyChain } from "../../../src/satp/key_chain.ts";
import { Connections } from "../../../src/tunnel/connection.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { ConnectionCounter } from "../../../src/tunnel/counters.ts";
import { RefusedSamples } from "../../../src/tunnel/refused_samples.ts";

const MUX = 3;
const INTERVAL = 60;
const FIRST = 1000;
const HOME = 1;
const AWAY = 2;
const ATTACKER = 7;
/** Another host each time. */
const EVERYWHERE = 1000;
const KNOWN_ID = 5;
/** Of a flood, in each second before a datagram of the peer. */
const FLOOD = 50;

const PARAMS = {
  cipher: "aes-ctr-128",
  kdPrf: "aes-ctr-128",
  authAlgo: "sha1",
  tagLength: 10,
} as const;
const LINK = {
  interval: INTERVAL,
  epoch: FIRST,
  key: new Uint8Array(32).fill(1),
};

async function sealedIn(
  epoch: number,
  senderId = KNOWN_ID,
): Promise<Uint8Array> {
  const secrets = new KeyChain(LINK, hkdf).secrets(epoch, "aes-ctr-128");
  const codec = await createSatpCodec({
    ...{ role: "right", mux: MUX, senderId, ...secrets } as const,
  });
  const payload = new Uint8Array(40).with(0, 0x45);
  return await codec.seal({ seq: 7, payloadType: 0x0800, payload });
}

function garbage(senderId: number, k: number): Uint8Array {
  const bytes = new Uint8Array(60).fill(k);
  new DataView(bytes.buffer).setUint16(4, senderId);
  new DataView(bytes.buffer).setUint16(6, MUX);
  return bytes;
}

function from(host: number): Uint32Array {
  const words = new Uint32Array(SOCKADDR_WORDS);
  words[0] = 2 | 4444 << 16;
  words[1] = host;
  return words;
}

/** An end in the first epoch, whose peer was heard at home. */
class End {
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly schedule: EpochSchedule;
  readonly #chain = new KeyChain(LINK, hkdf);
  readonly #connections = new Connections(
    this.table,
    openBuiltin(1024).engine,
  );
  readonly #samples: RefusedSamples;
  readonly #healing: ClockHealing;
  #seconds = 0;
  #random = 1;

  constructor() {
    this.schedule = new EpochSchedule(LINK, {
      now: () => FIRST * INTERVAL * 1000 + 20_000,
      elapsed: () => this.#seconds * 1000,
    });
    this.schedule.opened(FIRST);
    const { kdPrf } = PARAMS;
    this.#healing = new ClockHealing(
      { mux: MUX, role: "left", kdPrf, params: PARAMS },
      this.table,
      (words) => words.forEach((_, k) => words[k] = this.#next()),
    );
    this.#samples = new RefusedSamples(
      this.table,
      (refused) => this.#healing.take(refused),
    );
    const secrets = this.#chain.secrets(FIRST, kdPrf);
    this.table.put(MUX, { role: "left", secrets, windowSize: 64 }, 0);
    this.table.endpoints.set(MUX, from(HOME), 0);
    this.#connection?.sets[0]?.replay.accept(KNOWN_ID, 1);
  }

  /** As the data plane does with what nothing opens. */
  refuse(datagram: Uint8Array, host: number): void {
    const connection = this.#connection;
    assert.ok(connection !== undefined);
    const { counters } = connection;
    counters[ConnectionCounter.WRONG_TAG] =
      (counters[ConnectionCounter.WRONG_TAG] ?? 0) + 1;
    const { length } = datagram;
    this.#samples.offer(connection, datagram, 0, length, from(host), 0);
  }

  look(isHeard = false): number | undefined {
    this.#seconds++;
    return this.#healing.look(this.schedule, this.#chain, isHeard);
  }

  get #connection() {
    return this.#connections.get(MUX);
  }

  #next(): number {
    this.#random = Math.imul(this.#random, 48271) + 11;
    return (this.#random ^ this.#random >>> 15) >>> 0;
  }
}

/** @returns In which second it was found, and in which epoch */
function heal(
  end: End,
  seconds: number,
  arrive: (end: End, second: number) => void,
): { second: number; epoch: number } | undefined {
  for (let second = 1; second <= seconds; second++) {
    arrive(end, second);
    const epoch = end.look();
    if (epoch !== undefined) return { second, epoch };
  }
  return undefined;
}

for (const ahead of [2, 17, 48]) {
  Deno.test(`a peer that is ${ahead} epochs ahead is found soon after five seconds`, async () => {
    const right = await sealedIn(FIRST + ahead);
    const end = new End();
    const found = heal(end, 10, () => end.refuse(right, HOME));
    assert.equal(found?.epoch, FIRST + ahead);
    assert.equal(end.table.asked(MUX), 0, "nothing more is asked for");
  });
}

Deno.test("a peer that is 49 epochs ahead is not found", async () => {
  const right = await sealedIn(FIRST + 49);
  const end = new End();
  assert.equal(heal(end, 60, () => end.refuse(right, HOME)), undefined);
});

Deno.test("a peer that is heard is not sought, whatever others send", () => {
  const end = new End();
  for (let second = 0; second < 60; second++) {
    end.refuse(garbage(9, second), ATTACKER);
    assert.equal(end.look(true), undefined);
    assert.equal(end.table.asked(MUX), 0);
  }
});

Deno.test("what is sealed by this end itself heals nothing", async () => {
  const secrets = new KeyChain(LINK, hkdf).secrets(FIRST + 2, "aes-ctr-128");
  const codec = await createSatpCodec({ role: "left", mux: MUX, ...secrets });
  const own = await codec.seal({
    ...{ seq: 1, payloadType: 0x0800, payload: new Uint8Array(40) },
  });
  const end = new End();
  assert.equal(heal(end, 20, () => end.refuse(own, HOME)), undefined);
});

Deno.test("a datagram of any length is taken", () => {
  const end = new End();
  const lengths = [0, 1, 9, 10, 17, 18, 1600, 1601, 2048];
  const found = heal(end, 60, (end, second) => {
    const size = lengths[second % lengths.length] ?? 0;
    end.refuse(new Uint8Array(Math.max(size, 8)).fill(second), HOME);
  });
  assert.equal(found, undefined);
});

const FLOODS = [
  ["of a stranger", () => 9, ATTACKER, HOME, KNOWN_ID, 10],
  ["from the peer's own address", () => 9, HOME, HOME, KNOWN_ID, 10],
  ["with the peer's sender id", () => KNOWN_ID, ATTACKER, HOME, 6, 10],
  [
    "with the peer's sender id from everywhere",
    ...[() => KNOWN_ID, EVERYWHERE, HOME, KNOWN_ID, 10] as const,
  ],
  ["of all sender ids", (k: number) => k, ATTACKER, HOME, KNOWN_ID, 12],
  ["of a stranger, while the peer has moved", () => 9, ATTACKER, AWAY, 6, 300],
  [
    "with the peer's sender id from everywhere, while the peer has moved",
    ...[() => KNOWN_ID, EVERYWHERE, AWAY, KNOWN_ID, 300] as const,
  ],
] as const;

for (const [what, idOf, host, home, senderId, seconds] of FLOODS) {
  Deno.test(`a flood ${what} does not keep a right datagram from being tried`, async () => {
    const right = await sealedIn(FIRST + 4, senderId);
    const end = new End();
    const found = heal(end, seconds, (end, second) => {
      for (let k = 0; k < FLOOD; k++) {
        const other = host === EVERYWHERE ? second * FLOOD + k : 0;
        end.refuse(garbage(idOf(second * FLOOD + k), k), host + other);
      }
      end.refuse(right, home);
    });
    assert.equal(found?.epoch, FIRST + 4);
  });
}
