import { strict as assert } from "node:assert";
import type { ControldOptions } from "../../../src/config/controld.ts";
import { hkdf } from "../../../src/crypto/hkdf.ts";
import { digestWith } from "../../../src/crypto/webcrypto.ts";
import { EngineSource } from "../../../src/daemon/engine_source.ts";
import { FleetClients } from "../../../src/daemon/fleet_clients.ts";
import { KeptClients } from "../../../src/daemon/kept_clients.ts";
import { EtcdClient } from "../../../src/fleet/etcd_client.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { KeyChain } from "../../../src/satp/key_chain.ts";
import { formatChainFile } from "../../../src/satp/key_chain_file.ts";
import { parseControlFile } from "../../../src/sync/control_file.ts";
import { decodeFramed } from "../../../src/sync/decode.ts";
import { keptValue, MAX_CLIENT_BYTES } from "../../../src/fleet/layout.ts";
import type { SyncRecord } from "../../../src/sync/record.ts";
import { FakeEtcd } from "../../fakes/fake_etcd.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const SOURCE = {
  origins: ["http://a:2379", "http://b:2379"],
  prefix: "/fleet",
  text: "http://a,b/fleet",
  login: undefined,
  tls: undefined,
};
const KEY = "000102030405060708090a0b0c0d0e0f";
const SALT = "000102030405060708090a0b0c0d";
const FIRST = 1000;

function recordOf(mux: number, ...more: readonly string[]): string {
  return [`mux ${mux}`, `key ${KEY}`, `salt ${SALT}`, ...more].join("\n");
}

const keyOf = (name: string) => `/fleet/clients/${name}`;

/** A disk that may be full. */
class Disk {
  readonly descriptor = 7;
  isFull = false;
  file: Uint8Array<ArrayBuffer> | undefined;

  read(): Uint8Array<ArrayBuffer> | undefined {
    return this.file;
  }

  replace(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): void {
    if (this.isFull) throw new Error("no space left");
    for (const bytes of files.values()) this.file = bytes;
  }

  pathOf(name: string): string {
    return `state/${name}`;
  }

  close(): void {}
}

/** A control daemon's source, with an engine and a disk that outlive it. */
class Rig implements AsyncDisposable {
  readonly logger = recordingLog();
  readonly clock = new ManualClock();
  /** `+` or `-`, and what it is. */
  readonly told: string[] = [];
  /** What a service manager shows. */
  readonly shown: string[] = [];
  readonly source: EngineSource;
  readonly #stop = new AbortController();
  #over: Promise<void> = Promise.resolve();

  constructor(
    readonly etcd: FakeEtcd,
    readonly disk: Disk,
    login?: FakeEtcd["login"],
  ) {
    const { clock, logger, told } = this;
    const limited = new RateLimitedLog(
      logger,
      { burst: 5, perSecond: 0.1 },
      clock.now,
    );
    const note = (sign: string) => (text: string) => {
      told.push(...recordsIn(text).map((one) => sign + wordsOf(one)));
    };
    const world = {
      delay: clock.delay,
      elapsed: clock.now,
      now: () => FIRST * 60_000 + clock.now(),
      digest: digestWith(crypto.subtle),
      runtime: Deno.version,
    };
    const clients = new FleetClients(
      SOURCE.prefix,
      { push: note("+"), remove: note("-") },
      world,
      limited,
    );
    const kept = new KeptClients(
      disk,
      "clients-x",
      () => clients.used(),
      world,
      logger,
    );
    const timeout = () => new AbortController().signal;
    const { origins } = SOURCE;
    const client = new EtcdClient({ origins, login, post: etcd.post, timeout });
    const setup = { source: SOURCE, clients, kept, folder: disk };
    const showManager = (text: string) => void this.shown.push(text);
    const frame = { logger, limited, showManager };
    this.source = new EngineSource({ ...setup, ...frame }, false, {
      delay: clock.delay,
      openEngine: () => ({ client, [Symbol.dispose]: () => {} }),
    });
  }

  async start(): Promise<this> {
    await this.source.start({
      stop: this.#stop.signal,
      waiting: () => {},
      fail: assert.fail,
    });
    return this;
  }

  run(): this {
    this.#over = this.source.run(this.#stop.signal);
    return this;
  }

  /** As they are served. */
  get served(): readonly string[] {
    return this.source.snapshot().flatMap(recordsIn).map(wordsOf);
  }

  async until(is: () => boolean): Promise<void> {
    for (let k = 0; k < 500; k++) {
      if (is()) return;
      await new Promise((resolve) => setTimeout(resolve));
    }
    assert.fail(this.logger.lines.join("\n"));
  }

  /** Lets time pass in steps, as others wait anew. */
  async pass(seconds: number): Promise<void> {
    for (let k = 0; k < seconds * 4; k++) {
      await this.clock.pass(250);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  watched(): Promise<void> {
    return this.until(() => this.etcd.watchers > 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#over;
    this.source.close();
    // A daemon that ends waits for no engine: the test does.
    for (let quiet = 0; quiet < 5; quiet++) {
      await new Promise((resolve) => setTimeout(resolve));
      if (this.etcd.inFlight > 0) quiet = 0;
    }
  }
}

function recordsIn(text: string): SyncRecord[] {
  return parseControlFile(new TextEncoder().encode(text))
    .flatMap(({ text }) => decodeFramed(text) ?? []);
}

function wordsOf(record: SyncRecord): string {
  if (record.command === "connection") {
    return `${record.mux} ${record.secrets.key.toHex().slice(0, 6)}`;
  }
  const { network, prefixLength, mux } = record;
  const text = "bytes" in network ? network.bytes.join(".") : "";
  return `${mux} ${text}/${prefixLength}`;
}

function clusterOf(count: number): FakeEtcd {
  const etcd = new FakeEtcd();
  for (let mux = 1; mux <= count; mux++) {
    etcd.put(keyOf(`c${mux}`), recordOf(mux));
  }
  return etcd;
}

Deno.test("all clients are read page by page, and what changes is told alone", async () => {
  const etcd = clusterOf(1200);
  await using rig = new Rig(etcd, new Disk());
  await rig.start();
  assert.equal(rig.served.length, 1200);
  assert.equal(etcd.asked.filter((path) => path === "/v3/kv/range").length, 3);
  rig.told.length = 0;
  await rig.run().watched();
  etcd.put(keyOf("c7"), recordOf(7, "route 10.7.0.0/16"));
  etcd.put(keyOf("x"), recordOf(2000, "route 10.8.0.0/16"));
  etcd.put(keyOf("c7"), recordOf(7).replace(KEY, `ff${KEY.slice(2)}`));
  etcd.delete(keyOf("c9"));
  await rig.until(() => rig.told.includes("-9 000102"));
  assert.deepEqual(rig.told, [
    "+7 10.7.0.0/16",
    ...["+2000 000102", "+2000 10.8.0.0/16"],
    ...["-7 10.7.0.0/16", "+7 ff0102"],
    "-9 000102",
  ]);
  assert.equal(rig.served.length, 1201);
  assert.ok(
    rig.logger.lines.includes("NOTICE: client c9 (connection 9) is gone"),
  );
});

Deno.test("after a broken watch it goes on where it was", async () => {
  const etcd = clusterOf(3);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  rig.told.length = 0;
  etcd.hangUp();
  etcd.isDown = true;
  etcd.delete(keyOf("c1"));
  etcd.put(keyOf("c4"), recordOf(4));
  await rig.pass(20);
  assert.equal(rig.served.length, 3, "what was known stays");
  etcd.isDown = false;
  const ranges = etcd.asked.length;
  await rig.pass(5);
  await rig.until(() => rig.told.length === 2);
  assert.deepEqual(rig.told, ["-1 000102", "+4 000102"]);
  assert.deepEqual(etcd.asked.slice(ranges).slice(0, 2), [
    "/v3/kv/range",
    "/v3/watch",
  ]);
  const lost = rig.logger.lines.filter((line) => line.startsWith("WARNING"));
  assert.equal(lost.length, 1, lost.join("\n"));
  assert.ok(rig.logger.lines.some((line) => line.endsWith("answers again")));
});

Deno.test("what the engine has forgotten is found by reading all of it", async () => {
  const etcd = clusterOf(3);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  rig.told.length = 0;
  etcd.hangUp();
  etcd.isDown = true;
  etcd.delete(keyOf("c1"));
  etcd.put(keyOf("c2"), recordOf(22));
  etcd.compact();
  etcd.isDown = false;
  await rig.pass(1);
  await rig.until(() => rig.told.length === 3);
  assert.deepEqual(rig.told.toSorted(), [
    "+22 000102",
    "-1 000102",
    "-2 000102",
  ]);
});

Deno.test("an engine that forgets again and again is not asked in a loop", async () => {
  const etcd = clusterOf(1);
  await using rig = await new Rig(etcd, new Disk()).start();
  const watches = () =>
    etcd.asked.filter((path) => path === "/v3/watch").length;
  etcd.lies.shift = () =>
    etcd.asked.at(-1) === "/v3/watch"
      ? new Response('{"error":{"grpc_code":11}}\n')
      : undefined;
  rig.run();
  await rig.until(() => watches() > 0);
  for (let k = 0; k < 50; k++) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.equal(watches(), 1);
  await rig.pass(20);
  assert.ok(watches() > 1);
  const lines = rig.logger.lines.filter((line) => /forgotten/.test(line));
  assert.ok(lines.length < 10, lines.join("\n"));
});

Deno.test("a watch that tells nothing of what happens is noticed, though all else is answered", async () => {
  const etcd = clusterOf(3);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  etcd.isMute = true;
  etcd.delete(keyOf("c1"));
  await rig.pass(100);
  assert.equal(rig.served.length, 3);
  etcd.isMute = false;
  await rig.pass(60);
  await rig.until(() => rig.served.length === 2);
  await rig.watched();
  etcd.put(keyOf("x"), recordOf(9));
  await rig.until(() => rig.served.length === 3);
});

Deno.test("an engine that was restored from a backup is read anew, though it has counted on", async () => {
  const etcd = clusterOf(3);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  etcd.restore(keyOf("c1"));
  await rig.pass(2);
  await rig.until(() => rig.served.length === 2);
});

Deno.test("keys that are no text, more than a page of them, keep nobody from the clients behind", async () => {
  const etcd = clusterOf(2);
  for (let k = 1000; k < 1600; k++) etcd.put(keyOf(`b\xff${k}`), recordOf(k));
  await using rig = await new Rig(etcd, new Disk()).start();
  assert.equal(rig.served.length, 2);
});

Deno.test("a watch that only seems to be there is left", async () => {
  const etcd = clusterOf(1);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  etcd.isDown = true;
  await rig.pass(6);
  assert.equal(etcd.watchers, 0);
  assert.match(rig.source.report().join(), /without an answer of/);
});

Deno.test("a watch at a member that has lost the others is taken to another one", async () => {
  const etcd = clusterOf(1);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  const watches = () =>
    etcd.asked.filter((path) => path === "/v3/watch").length;
  assert.equal(watches(), 1);
  etcd.deaf.add("a");
  await rig.pass(6);
  await rig.until(() => watches() === 2);
  await rig.watched();
  etcd.put(keyOf("x"), recordOf(9));
  await rig.until(() => rig.served.length === 2);
});

Deno.test("an engine that is empty at once takes nobody away until that is allowed", async () => {
  const etcd = clusterOf(3);
  const disk = new Disk();
  await using rig = await new Rig(etcd, disk).start();
  await rig.run().watched();
  etcd.remake();
  await rig.pass(1);
  await rig.until(() => rig.logger.lines.some((line) => /lacks 3/.test(line)));
  assert.equal(rig.served.length, 3);
  assert.match(rig.source.report().join(), /3 of which it has no more/);
  await rig.watched();
  etcd.put(keyOf("c2"), recordOf(2));
  await rig.until(() => /2 of which/.test(rig.source.report().join()));
  etcd.delete(keyOf("c2"));
  await rig.until(() => rig.served.length === 2);
  rig.source.reload({ sourceAllowLoss: true } as ControldOptions);
  await rig.until(() => rig.served.length === 0);
  rig.source.close();
  assert.match(
    new TextDecoder().decode(disk.file),
    /^\["anytun-fleet 1",0\]\n$/,
  );
});

Deno.test("who stays though the engine has lost them stays when some of them are back", async () => {
  const etcd = clusterOf(5);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  etcd.remake();
  await rig.pass(1);
  await rig.until(() => /5 of which/.test(rig.source.report().join()));
  await rig.watched();
  etcd.put(keyOf("c2"), recordOf(2));
  await rig.until(() => /4 of which/.test(rig.source.report().join()));
  etcd.restore();
  etcd.put(keyOf("x"), recordOf(9));
  await rig.pass(2);
  await rig.until(() => rig.served.length === 6);
  assert.match(rig.source.report().join(), /4 of which/);
});

Deno.test("of many clients a few may go while nobody watches", async () => {
  const etcd = clusterOf(30);
  const disk = new Disk();
  {
    await using rig = await new Rig(etcd, disk).start();
    assert.equal(rig.served.length, 30);
  }
  for (let mux = 1; mux <= 15; mux++) etcd.delete(keyOf(`c${mux}`));
  await using some = await new Rig(etcd, disk).start();
  assert.equal(some.served.length, 15);
  assert.equal(some.told.length, 15, "members may know them from before");
  assert.ok(some.told.includes("-1 000102"));
  some.source.close();
  for (let mux = 16; mux <= 26; mux++) etcd.delete(keyOf(`c${mux}`));
  await using most = await new Rig(etcd, disk).start();
  assert.equal(most.served.length, 15);
  assert.ok(most.logger.lines.some((line) => /lacks 11 of 15/.test(line)));
});

Deno.test("a start without the engine serves what was kept on disk", async () => {
  const etcd = clusterOf(2);
  const disk = new Disk();
  {
    await using rig = await new Rig(etcd, disk).start();
    await rig.run().watched();
    etcd.put(keyOf("x"), recordOf(9, "route 10.9.0.0/16"));
    await rig.until(() => rig.served.length === 4);
  }
  etcd.isDown = true;
  await using rig = await new Rig(etcd, disk).start();
  assert.deepEqual(rig.served, [
    "1 000102",
    "2 000102",
    "9 000102",
    "9 10.9.0.0/16",
  ]);
  assert.ok(rig.logger.lines.some((line) => /as they were kept/.test(line)));
  assert.equal(rig.source.isStale, true);
  await rig.source.known;
  assert.match(rig.shown.at(-1) ?? "", /^without an answer of/);
  assert.deepEqual(rig.told, [], "members may know better");
  etcd.isDown = false;
  etcd.delete(keyOf("c1"));
  rig.run();
  await rig.pass(1);
  await rig.until(() => rig.told.at(-1) === "-1 000102");
});

Deno.test("with nothing on disk and no engine a daemon is up, says what it waits for, and nobody is let in", async () => {
  const etcd = clusterOf(1);
  etcd.isDown = true;
  await using rig = await new Rig(etcd, new Disk()).start();
  const { lines } = rig.logger;
  assert.ok(lines.some((line) => /no server is let in until/.test(line)));
  assert.equal(rig.shown.at(-1), "waiting for the clients of http://a,b/fleet");
  const state = { isKnown: false };
  void rig.source.known.then(() => state.isKnown = true);
  rig.run();
  await rig.pass(30);
  assert.equal(state.isKnown, false);
  etcd.isDown = false;
  await rig.pass(6);
  await rig.until(() => state.isKnown);
  assert.equal(rig.served.length, 1);
  assert.equal(rig.shown.at(-1), "in step with http://a,b/fleet");
  await rig.watched();
  etcd.put(keyOf("x"), recordOf(9));
  await rig.until(() => rig.told.includes("+9 000102"));
  etcd.isDown = true;
  await rig.pass(6);
  await rig.until(() => /^without an answer/.test(rig.shown.at(-1) ?? ""));
});

for (
  const [what, file] of [
    ["another file", "x"],
    ["half a file", '["anytun-fleet 1",2]\n["a",1,"mux 1"]\n'],
    ["a file of another kind", '["anytun-fleet 2",0]\n'],
    ["a client that is none", '["anytun-fleet 1",1]\n["../a",1,"mux 1"]\n'],
  ] as const
) {
  Deno.test(`${what} in place of the clients is named, and not used`, async () => {
    const disk = new Disk();
    disk.file = new TextEncoder().encode(file);
    await using rig = await new Rig(clusterOf(1), disk).start();
    assert.equal(rig.served.length, 1);
    assert.match(rig.logger.lines.join("\n"), /Cannot use the clients kept in/);
  });
}

Deno.test("a disk that is full is named once, and nothing else happens", async () => {
  const etcd = clusterOf(1);
  const disk = new Disk();
  disk.isFull = true;
  await using rig = await new Rig(etcd, disk).start();
  await rig.run().watched();
  await rig.pass(1);
  etcd.put(keyOf("x"), recordOf(9));
  await rig.until(() => rig.served.length === 2);
  await rig.pass(1);
  const errors = () =>
    rig.logger.lines.filter((line) => /keep the cl/.test(line));
  assert.equal(errors().length, 1);
  disk.isFull = false;
  await rig.pass(10);
  assert.match(new TextDecoder().decode(disk.file), /"x",/);
  etcd.put(keyOf("y"), recordOf(10));
  await rig.until(() => rig.served.length === 3);
  await rig.pass(1);
  assert.ok(rig.logger.lines.some((line) => /kept on disk again/.test(line)));
  assert.match(new TextDecoder().decode(disk.file), /"y",/);
});

Deno.test("who was removed while the disk was full is gone from it after an orderly end", async () => {
  const etcd = clusterOf(2);
  const disk = new Disk();
  {
    await using rig = await new Rig(etcd, disk).start();
    await rig.run().watched();
    await rig.pass(1);
    assert.match(new TextDecoder().decode(disk.file), /"c2",/);
    disk.isFull = true;
    etcd.delete(keyOf("c2"));
    await rig.until(() => rig.served.length === 1);
    await rig.pass(1);
    disk.isFull = false;
  }
  assert.doesNotMatch(new TextDecoder().decode(disk.file), /"c2",/);
});

Deno.test("a bad record is named by its key, without its secret, and others go on", async () => {
  const etcd = clusterOf(1);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  const bad = {
    letters: recordOf(2).replace(KEY, "topsecret"),
    files: "mux 3\nkey-file /etc/shadow",
    name: recordOf(4, "remote-host vpn.example"),
    keyless: "mux 5",
    long: `mux 6\n${"#".repeat(70_000)}`,
  };
  rig.logger.lines.length = 0;
  for (const [name, text] of Object.entries(bad)) etcd.put(keyOf(name), text);
  etcd.put(keyOf("c1"), "mux 1\nkey topsecret");
  etcd.put("/fleet/clients/../x", recordOf(7));
  etcd.put(keyOf("good"), recordOf(8));
  await rig.until(() => rig.told.at(-1) === "+8 000102");
  assert.deepEqual(rig.served, ["1 000102", "8 000102"]);
  const lines = rig.logger.lines.join("\n");
  for (const name of Object.keys(bad)) assert.ok(lines.includes(keyOf(name)));
  assert.doesNotMatch(lines, /topsecret/);
});

Deno.test("of a value that is too long to be of use nothing is kept but that", () => {
  const [most, more] = [MAX_CLIENT_BYTES, MAX_CLIENT_BYTES + 1];
  assert.equal(keptValue("a".repeat(most)), "a".repeat(most));
  assert.equal(keptValue("a".repeat(10 * most)), "#".repeat(more));
});

Deno.test("of two clients with one mux the older one stays, and the other follows it", async () => {
  const etcd = clusterOf(1);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  etcd.put(keyOf("a"), recordOf(1).replace(KEY, `aa${KEY.slice(2)}`));
  etcd.put(keyOf("z"), recordOf(5));
  await rig.until(() => rig.served.includes("5 000102"));
  assert.ok(rig.served.includes("1 000102"));
  assert.match(
    rig.logger.lines.join("\n"),
    /clients\/a: its mux 1 is that of client c1, which is older/,
  );
  etcd.delete(keyOf("c1"));
  await rig.until(() => rig.served.includes("1 aa0102"));
  assert.deepEqual(rig.told.slice(-2), ["-1 000102", "+1 aa0102"]);
});

Deno.test("the keys of a client with a chain move on", async () => {
  const link = { interval: 60, epoch: FIRST, key: new Uint8Array(32).fill(1) };
  const keyAt = (epoch: number) =>
    new KeyChain(link, hkdf).secrets(epoch, "aes-ctr-256").key.toHex()
      .slice(0, 6);
  const etcd = new FakeEtcd();
  const text = new TextDecoder().decode(formatChainFile(link));
  etcd.put(keyOf("a"), "mux 1\nkd-prf aes-ctr-256");
  etcd.put(`${keyOf("a")}/chain`, text);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  assert.deepEqual(rig.served, [`1 ${keyAt(FIRST)}`]);
  await rig.pass(61);
  assert.deepEqual(rig.told.at(-1), `+1 ${keyAt(FIRST + 1)}`);
  assert.deepEqual(rig.served, [`1 ${keyAt(FIRST + 1)}`]);
  etcd.put(`${keyOf("a")}/chain`, "no chain");
  await rig.until(() => /a\/chain: line 1/.test(rig.logger.lines.join()));
  etcd.delete(keyOf("a"), `${keyOf("a")}/chain`);
  await rig.until(() => rig.served.length === 0);
});

Deno.test("a token that has ended is replaced, and a wrong password is named", async () => {
  const etcd = clusterOf(1);
  etcd.login = { name: "controld", password: "right" };
  await using rig = await new Rig(etcd, new Disk(), etcd.login).start();
  await rig.run().watched();
  etcd.forgetTokens();
  etcd.hangUp();
  await rig.pass(1);
  await rig.watched();
  await using other = new Rig(etcd, new Disk(), {
    name: "controld",
    password: "wrong",
  });
  const started = other.start();
  await other.pass(1);
  assert.match(other.logger.lines.join(), /authentication failed/);
  etcd.login = { name: "controld", password: "wrong" };
  await other.pass(5);
  await started;
});

Deno.test("an engine that lies is left with what was known", async () => {
  const etcd = clusterOf(2);
  await using rig = await new Rig(etcd, new Disk()).start();
  await rig.run().watched();
  const header = { cluster_id: etcd.cluster, revision: String(etcd.revision) };
  for (
    const lie of [
      new Response("<html>"),
      Response.json({}),
      Response.json({ header: { ...header, revision: "9".repeat(30) } }),
      Response.json({ header: {} }),
    ]
  ) {
    etcd.lies.push(lie);
    etcd.hangUp();
    await rig.pass(6);
  }
  assert.deepEqual(rig.served, ["1 000102", "2 000102"]);
  await rig.watched();
});
