import assert from "node:assert/strict";
import { SystemError } from "../../../ffi/errno.ts";
import { hkdf } from "../../../src/crypto/hkdf.ts";
import { ControlChains } from "../../../src/daemon/control_chains.ts";
import { ControlFileService } from "../../../src/daemon/control_file_service.ts";
import { KeyChain } from "../../../src/satp/key_chain.ts";
import { formatChainFile } from "../../../src/satp/key_chain_file.ts";
import { parseControlFile } from "../../../src/sync/control_file.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";

const INTERVAL = 60;
const FIRST = 1000;
const RECORD = connectionRecord();
const ROUTE = encodeRecord(routeRecord("10.0.0.0/8", 5));
const LINK = {
  interval: INTERVAL,
  epoch: FIRST,
  key: new Uint8Array(32).fill(1),
};

/** A control daemon's file, and the chain of its connection. */
function setUp() {
  const time = new ManualClock();
  const origin = { ms: FIRST * INTERVAL * 1000 };
  const chains = new Map([
    [`c/${RECORD.mux}`, {
      bytes: formatChainFile(LINK),
      isPublic: false,
      isRoots: false,
    }],
  ]);
  const reads: Uint8Array[] = [];
  const control = { text: `${encodeRecord(RECORD, 9)}\n${ROUTE}\n` };
  const world = {
    delay: time.delay,
    elapsed: time.now,
    now: () => origin.ms + time.now(),
    fileVersion: () => undefined,
    readSecretFile: () => ({
      bytes: new TextEncoder().encode(control.text),
      isPublic: false,
    }),
    readKeyChain: (path: string) => {
      const file = chains.get(path);
      if (file === undefined) throw new SystemError("open", "openat", 2);
      const bytes = Uint8Array.from(file.bytes);
      reads.push(bytes);
      return { ...file, bytes };
    },
  };
  const logger = recordingLog();
  const pushed: string[] = [];
  const service = new ControlFileService(
    {
      path: "f",
      named: "--file",
      chains: new ControlChains("c", world, (text) => logger.warning(text)),
      sink: { push: (record) => pushed.push(record), remove: () => {} },
    },
    world,
    logger,
  );
  return {
    ...{ service, pushed, time, origin, chains, reads, logger, world, control },
  };
}

/** The record as it has to be in an epoch. */
function textAt(epoch: number): string {
  const secrets = new KeyChain(LINK, hkdf).secrets(epoch, "aes-ctr-128");
  return encodeRecord({ ...RECORD, secrets }, 9);
}

Deno.test("the record of a connection with a chain has the keys of now", async () => {
  const { service, pushed, time, reads } = setUp();
  assert.equal(RECORD.secrets.key.length, 16);
  service.start();
  assert.deepEqual(service.snapshot(), [textAt(FIRST), ROUTE]);
  assert.ok(reads.every((bytes) => bytes.every((byte) => byte === 0)));
  const stop = new AbortController();
  const over = service.run(stop.signal);
  for (let second = 0; second < 59; second++) await time.pass(1000);
  assert.deepEqual(pushed, []);
  await time.pass(999);
  assert.deepEqual(pushed, []);
  await time.pass(1);
  assert.deepEqual(pushed, [textAt(FIRST + 1)], "when the epoch begins");
  assert.deepEqual(service.snapshot(), [textAt(FIRST + 1), ROUTE]);
  for (let second = 0; second < 60; second++) await time.pass(1000);
  assert.deepEqual(pushed.slice(1), [textAt(FIRST + 2)]);
  assert.equal(
    parseControlFile(
      new TextEncoder().encode(pushed[1]),
    ).length,
    1,
  );
  stop.abort();
  await over;
});

Deno.test("a file that is half written while an epoch begins is not taken for the whole", async () => {
  const { service, time, origin, logger, control } = setUp();
  origin.ms -= 1;
  service.start();
  const stop = new AbortController();
  const over = service.run(stop.signal);
  for (let look = 0; look < 29; look++) await time.pass(2000);
  const whole = control.text;
  control.text = ROUTE;
  await time.pass(2000);
  await time.pass(1);
  assert.equal(service.snapshot()[0], textAt(FIRST + 1));
  control.text = whole;
  for (let look = 0; look < 3; look++) await time.pass(2000);
  assert.doesNotMatch(logger.lines.join("\n"), /[1-9]\d* are gone/);
  stop.abort();
  await over;
});

Deno.test("a clock that is set back, or beyond all bounds, changes no keys", async () => {
  const { service, pushed, time, origin } = setUp();
  service.start();
  const stop = new AbortController();
  const over = service.run(stop.signal);
  for (const ms of [-30 * 60_000, 2 ** 45]) {
    origin.ms += ms;
    await time.pass(2000);
    origin.ms -= ms;
  }
  assert.deepEqual(pushed, []);
  stop.abort();
  await over;
});

Deno.test("a connection without a chain is served as it is in the file", () => {
  const { service, chains, logger } = setUp();
  chains.clear();
  service.start();
  assert.deepEqual(service.snapshot(), [encodeRecord(RECORD, 9), ROUTE]);
  assert.match(logger.lines.join("\n"), /WARNING: 0 connections have a key ch/);
});

Deno.test("a chain that is of no use is refused by its name", () => {
  const path = `c/${RECORD.mux}`;
  const refused = (bytes: Uint8Array<ArrayBuffer>, isPublic = false) => {
    const { service, chains } = setUp();
    chains.set(path, { bytes, isPublic, isRoots: false });
    return () => service.start();
  };
  const text = (text: string) => new TextEncoder().encode(text);
  assert.throws(refused(text("anytun-keychain 1\n")), {
    message: "Cannot serve 'f' (--file): Cannot use the key chain in " +
      `'${path}' (--key-chains): ` +
      "line 2: it must be 'interval <seconds>'",
  });
  assert.throws(
    refused(formatChainFile(LINK), true),
    /others have access to the file, use chmod 600/,
  );
});

Deno.test("a chain that root alone could keep to himself is used with a warning, as --key-chain does", () => {
  const path = `c/${RECORD.mux}`;
  const { service, chains, logger, reads } = setUp();
  const bytes = formatChainFile(LINK);
  chains.set(path, { bytes, isPublic: true, isRoots: true });
  service.start();
  assert.deepEqual(service.snapshot(), [textAt(FIRST), ROUTE]);
  assert.ok(reads.every((bytes) => bytes.every((byte) => byte === 0)));
  assert.ok(logger.lines.includes(
    `WARNING: the key chain in '${path}' (--key-chains): others have ` +
      `access to the file, use chmod 600 '${path}' as root, who alone can`,
  ));
});

Deno.test("of a window in the record of a connection with a chain it is said what it does to originals", () => {
  const windowOf = ({ logger, service }: ReturnType<typeof setUp>) => {
    service.start();
    return logger.lines.filter((line) => /WARNING: .*anytun/.test(line));
  };
  assert.match(
    windowOf(setUp()).join(),
    /connection 5 has a key chain .* a window of 100 in its record.*use -w 0/,
  );
  const plain = setUp();
  plain.control.text = encodeRecord({ ...RECORD, windowSize: 0 });
  assert.deepEqual(windowOf(plain), []);
  const without = setUp();
  without.chains.clear();
  assert.deepEqual(windowOf(without), []);
});

Deno.test("a folder of chains that is not there is an error", () => {
  const { service, world } = setUp();
  world.readKeyChain = () => {
    throw new SystemError("open the folder 'c/'", "open", 2);
  };
  assert.throws(() => service.start(), /\(--key-chains\): Cannot open the fo/);
});
