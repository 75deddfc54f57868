import assert from "node:assert/strict";
import { whyNoLab } from "../../lab/missing.ts";
import { testUnless } from "../../lab/test_unless.ts";
import {
  createSatpCodec,
  PeerEvent,
  type SatpCodec,
  Tunnel,
  type TunnelEvent,
  type TunnelOptions,
} from "../../mod.ts";

const OLD = { passphrase: "the old one" };
const NEW = { passphrase: "the new one" };

/** An IPv4 header and nothing behind it. */
const PACKET = new Uint8Array(20).with(0, 0x45).with(3, 20).with(8, 64);

const tunnelTest = (name: string, fn: () => Promise<void>): void =>
  testUnless([whyNoLab()], name, fn);

/** A tunnel on the loopback device, and what it tells. */
class Rig implements AsyncDisposable {
  readonly tunnel: Tunnel;
  readonly told: TunnelEvent[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(options: TunnelOptions) {
    this.tunnel = new Tunnel({
      role: "right",
      addresses: ["127.0.0.1"],
      port: 0,
      device: { name: "at-tun%d" },
      ...options,
    });
    const kinds = ["ready", "heard", "moved", "silent", "failed"] as const;
    for (const kind of kinds) {
      this.tunnel.addEventListener(kind, (event) => {
        this.told.push(event);
        this.#wake.resolve();
      });
    }
  }

  /** The next event, as text. */
  async next(): Promise<string> {
    while (this.told.length === 0) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
    const event = this.told.shift();
    return event instanceof PeerEvent
      ? `${event.type} ${event.mux} ${event.remote}`
      : `${event?.type}`;
  }

  /** Sends a sealed packet. */
  async send(from: Sender, codec: SatpCodec, seq: number): Promise<void> {
    const [bound = ""] = this.tunnel.bound;
    const payload = { seq, payloadType: 0x0800, payload: PACKET };
    await from.socket.send(await codec.seal(payload), {
      transport: "udp",
      hostname: "127.0.0.1",
      port: Number(bound.split(":")[1]),
    });
  }

  /** Waits until a counter has reached a value. */
  async counted(read: () => number | undefined, value: number): Promise<void> {
    while (read() !== value) await new Promise((go) => setTimeout(go, 5));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.tunnel.stop();
  }
}

/** A socket of the loopback device. */
class Sender implements Disposable {
  readonly socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });

  get text(): string {
    const { addr } = this.socket;
    assert.ok(addr.transport === "udp");
    return `127.0.0.1:${addr.port}`;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

tunnelTest(
  "a tunnel tells that it is ready, and hears and misses its peer",
  async () => {
    await using rig = new Rig({ ...OLD, silentAfter: 0.2 });
    using first = new Sender();
    const codec = await createSatpCodec({ role: "left", ...OLD });
    await rig.tunnel.start();
    assert.equal(await rig.next(), "ready");
    assert.match(rig.tunnel.device, /^at-tun\d+$/);
    await rig.send(first, codec, 1);
    assert.equal(await rig.next(), `heard 0 ${first.text}`);
    assert.equal(await rig.next(), `silent 0 ${first.text}`);
    // A peer that was silent for a while is followed at once or not, as the
    // rules of roaming say; it is heard in any case.
    await rig.send(first, codec, 2);
    assert.equal(await rig.next(), `heard 0 ${first.text}`);
    const [connection] = rig.tunnel.connections();
    assert.equal(connection?.remote, first.text);
    assert.equal(connection?.counters.packets_in_total, 2);
    assert.ok(Date.now() - (connection?.lastHeard ?? 0) < 60_000);
  },
);

tunnelTest(
  "keys that were replaced are accepted no more, and the new ones are",
  async () => {
    await using rig = new Rig(OLD);
    using sender = new Sender();
    const old = await createSatpCodec({ role: "left", ...OLD });
    const fresh = await createSatpCodec({ role: "left", ...NEW });
    await rig.tunnel.start();
    const count = (name: string) => rig.tunnel.connections()[0]?.counters[name];
    await rig.send(sender, old, 1);
    await rig.counted(() => count("packets_in_total"), 1);
    await rig.tunnel.putConnection(0, NEW);
    await rig.send(sender, old, 2);
    await rig.counted(() => count("wrong_tag_total"), 1);
    await rig.send(sender, fresh, 1);
    await rig.counted(() => count("packets_in_total"), 2);
  },
);

tunnelTest(
  "keys that were replaced go on opening where that is asked for",
  async () => {
    await using rig = new Rig(OLD);
    using sender = new Sender();
    const old = await createSatpCodec({ role: "left", ...OLD });
    const fresh = await createSatpCodec({ role: "left", ...NEW });
    await rig.tunnel.start();
    await rig.tunnel.putConnection(0, { ...NEW, keepOldKeys: true });
    await rig.send(sender, old, 1);
    await rig.send(sender, fresh, 1);
    await rig.counted(
      () => rig.tunnel.connections()[0]?.counters.packets_in_total,
      2,
    );
  },
);

tunnelTest(
  "of changes that overlap the one that was called last counts",
  async () => {
    await using rig = new Rig(OLD);
    using sender = new Sender();
    // A key is there sooner than what a passphrase stands for.
    const quick = { key: "07".repeat(16), salt: "08".repeat(14) };
    const codec = await createSatpCodec({ role: "left", ...quick });
    await rig.tunnel.start();
    await Promise.all([
      rig.tunnel.putConnection(0, NEW),
      rig.tunnel.putConnection(0, quick),
    ]);
    await rig.send(sender, codec, 1);
    await rig.counted(
      () => rig.tunnel.connections()[0]?.counters.packets_in_total,
      1,
    );
    const change = rig.tunnel.putConnection(0, NEW);
    assert.equal(rig.tunnel.removeConnection(0), true);
    await change;
    assert.deepEqual(rig.tunnel.connections(), []);
  },
);

tunnelTest(
  "a connection that was removed is listed and accepted no more",
  async () => {
    await using rig = new Rig(OLD);
    using sender = new Sender();
    const codec = await createSatpCodec({ role: "left", ...OLD });
    await rig.tunnel.start();
    await rig.send(sender, codec, 1);
    const packets = () =>
      rig.tunnel.connections()[0]?.counters.packets_in_total;
    await rig.counted(packets, 1);
    assert.equal(rig.tunnel.removeConnection(0), true);
    assert.equal(rig.tunnel.removeConnection(0), false);
    assert.deepEqual(rig.tunnel.connections(), []);
    await rig.send(sender, codec, 2);
    await rig.counted(() => rig.tunnel.counters().unknown_mux_total, 1);
    // The numbers that were heard are known when it comes back.
    await rig.tunnel.putConnection(0, OLD);
    await rig.send(sender, codec, 1);
    const replays = () => rig.tunnel.connections()[0]?.counters.replayed_total;
    await rig.counted(replays, 1);
  },
);

tunnelTest(
  "routes are put and removed where there is routing, and only there",
  async () => {
    await using rig = new Rig({ ...OLD, routing: true });
    await using plain = new Rig(OLD);
    await rig.tunnel.start();
    await plain.tunnel.start();
    rig.tunnel.putRoute("192.0.2.0/24", 7);
    assert.equal(rig.tunnel.removeRoute("192.0.2.0/24"), true);
    assert.equal(rig.tunnel.removeRoute("192.0.2.0/24"), false);
    assert.throws(() => rig.tunnel.putRoute("192.0.2.0", 7), /prefix '192/);
    assert.throws(() => plain.tunnel.putRoute("192.0.2.0/24", 7), /no routing/);
  },
);

tunnelTest(
  "a tunnel that was stopped leaves no device and has finished",
  async () => {
    await using rig = new Rig(OLD);
    await rig.tunnel.start();
    const path = `/sys/class/net/${rig.tunnel.device}`;
    assert.ok(Deno.statSync(path).isDirectory);
    await rig.tunnel.stop();
    await rig.tunnel.finished;
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
    assert.throws(() => rig.tunnel.device, /does not run/);
  },
);

for (const engine of ["auto", "webcrypto"] as const) {
  tunnelTest(
    `a tunnel that is stopped while it starts ends and is never ready (${engine})`,
    async () => {
      await using rig = new Rig({ ...OLD, engine });
      const starting = rig.tunnel.start();
      const stopping = rig.tunnel.stop();
      await starting;
      assert.deepEqual(rig.told, []);
      await stopping;
      await rig.tunnel.finished;
    },
  );
}

for (const engine of ["auto", "webcrypto"] as const) {
  tunnelTest(
    `a tunnel that is started again with its state folder accepts no recording (${engine})`,
    async () => {
      const stateDir = await Deno.makeTempDir();
      using sender = new Sender();
      const codec = await createSatpCodec({ role: "left", ...OLD });
      const counted = (rig: Rig, name: string) =>
        rig.counted(() => rig.tunnel.connections()[0]?.counters[name], 1);
      try {
        for (const refused of [[], [5]]) {
          await using rig = new Rig({ ...OLD, engine, stateDir });
          await rig.tunnel.start();
          for (const seq of refused) await rig.send(sender, codec, seq);
          if (refused.length > 0) await counted(rig, "replayed_total");
          await rig.send(sender, codec, 5 + refused.length);
          await counted(rig, "packets_in_total");
        }
      } finally {
        await Deno.remove(stateDir, { recursive: true });
      }
    },
  );
}

tunnelTest(
  "a tunnel listens on an address of the interface that it names",
  async () => {
    await using rig = new Rig({ ...OLD, addresses: ["::1%lo"] });
    await rig.tunnel.start();
    assert.match(rig.tunnel.bound.join(), /^\[::1%1\]:\d+$/);
    await using nowhere = new Rig({ ...OLD, addresses: ["::1%nowhere"] });
    await assert.rejects(nowhere.tunnel.start(), /no interface 'nowhere'/);
  },
);
