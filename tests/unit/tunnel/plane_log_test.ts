import assert from "node:assert/strict";
import type { LogFields } from "../../../src/log/logger.ts";
import { parseAddress } from "../../../src/net/address.ts";
import { parseEndpoint } from "../../../src/net/endpoint.ts";
import { endpointWords } from "../../../src/tunnel/connection_table.ts";
import { writeEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { Connection } from "../../../src/tunnel/connection.ts";
import { PlaneLog } from "../../../src/tunnel/plane_log.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

Deno.test("a connection with a key chain has numbers again in the next epoch, and is told so", () => {
  const logger = recordingLog();
  const log = new PlaneLog(logger, () => 0, { chained: 3 });
  for (const mux of [3, 4]) {
    const connection = new Connection(mux, new Float64Array(8));
    log.numbersLow(connection, 7);
    log.numbersSpent(connection, 7);
  }
  const [low, spent, ...others] = logger.lines;
  for (const line of [low, spent]) {
    assert.match(String(line), /connection 3 .*, until the next epoch of its/);
  }
  for (const line of others) {
    assert.match(line, /connection 4 .*: give both ends new keys, or start/);
  }
  assert.equal(others.length, 2);
});

/** Where something seems to come from. */
function wordsOf(text: string): Uint32Array {
  const words = endpointWords();
  writeEndpoint(words, 0, parseEndpoint(text));
  return words;
}

/** A connection to a peer at an address that ends in its mux. */
function connectionTo(mux: number): Connection {
  const connection = new Connection(mux, new Float64Array(16));
  connection.endpoint.set(wordsOf(`192.0.2.${mux}:4444`));
  return connection;
}

Deno.test("strangers who flood share one budget, and silence no line about a peer that is known", () => {
  const logger = recordingLog();
  const log = new PlaneLog(logger, () => 0);
  const known = connectionTo(3);
  for (let k = 0; k < 1000; k++) {
    const stranger = wordsOf(`198.51.100.${k % 250}:${k + 1}`);
    log.wrongTag(known, stranger, 0);
    log.unknownMux(k, stranger, 0);
  }
  assert.equal(logger.lines.length, 5);
  log.wrongTag(known, wordsOf("192.0.2.3:4444"), 0);
  assert.match(logger.lines.at(-1) ?? "", /from 192\.0\.2\.3:4444 for/);
  assert.equal(logger.lines.length, 6);
  log.flush();
  assert.match(
    logger.lines.at(-1) ?? "",
    /held back 1995 lines: from unknown senders/,
  );
});

Deno.test("a mux is blamed where it differs, not where a client is not known or a connection not there yet", () => {
  const lineOf = (settings: { mux: number; routing?: boolean }) => {
    const logger = recordingLog();
    const log = new PlaneLog(logger, () => 0, settings);
    log.unknownMux(7, wordsOf("192.0.2.1:4444"), 0);
    return logger.lines.join();
  };
  assert.match(lineOf({ mux: 3 }), /at both ends, of this end it is 3\)$/);
  const line = lineOf({ mux: 0, routing: true });
  assert.match(line, /unknown mux 7 .*: no client that is known .*--control-h/);
  assert.doesNotMatch(line, /of this end/);
  const early = lineOf({ mux: 7 });
  assert.match(early, /unknown mux 7 .*: its connection is not there yet: /);
  assert.doesNotMatch(early, /--mux/);
});

Deno.test("what is wrong with one connection, or in one way, hides nothing else", () => {
  const logger = recordingLog();
  const log = new PlaneLog(logger, () => 0);
  for (let mux = 1; mux <= 10; mux++) {
    for (let k = 0; k < 100; k++) log.sendFailed(connectionTo(mux), "EPERM");
  }
  assert.equal(logger.lines.length, 30);
  log.wrongPayloadType(connectionTo(1), 0x6558);
  log.sendFailed(connectionTo(1), "ENETUNREACH");
  assert.equal(logger.lines.length, 32);
  assert.match(logger.lines[30] ?? "", /0x6558 .*tap device.*\(--type\)/);
  assert.match(logger.lines[31] ?? "", /192\.0\.2\.1:4444: this host has no/);
});

Deno.test("each line about a connection has cause, mux and endpoint as fields", () => {
  const seen: LogFields[] = [];
  const keep = (_: string, fields: LogFields = {}) => void seen.push(fields);
  const logger = { ...recordingLog(), notice: keep, warning: keep };
  const log = new PlaneLog(logger, () => 0);
  const connection = connectionTo(7);
  log.wrongTag(connection, connection.endpoint, 0);
  log.replay(connection, 1, 2);
  log.wrongPayloadType(connection, 1);
  for (const code of ["EHOSTUNREACH", "ECONNREFUSED", "EACCES", "EMSGSIZE"]) {
    log.sendFailed(connection, code);
  }
  log.sendFailed(connection, "EIO");
  assert.deepEqual(
    seen.map(({ cause }) => cause),
    [
      ...["wrong-tag", "replay", "wrong-payload-type"],
      ...["no-route", "refused", "not-permitted", "too-long", "send-failed"],
    ],
  );
  for (const { mux, endpoint } of seen) {
    assert.equal(mux, 7);
    assert.equal(endpoint, "192.0.2.7:4444");
  }
});

Deno.test("zones of addresses are named", () => {
  const logger = recordingLog();
  const name = (index: number) => index === 4 ? "eth4" : undefined;
  const log = new PlaneLog(logger, () => 0, {}, name);
  log.unknownMux(7, wordsOf("[fe80::1%4]:5"), 0);
  log.unknownMux(7, wordsOf("[fe80::1%9]:5"), 0);
  assert.match(logger.lines[0] ?? "", /from \[fe80::1%eth4\]:5:/);
  assert.match(logger.lines[1] ?? "", /from \[fe80::1%9\]:5:/);
});

Deno.test("nobody is told of packets to many that have nowhere to go, but of others", () => {
  const logger = recordingLog();
  const log = new PlaneLog(logger, () => 0, { routing: true });
  const packet = (address: string) => {
    const { bytes = new Uint8Array(), family } = parseAddress(address) ?? {};
    const packet = new Uint8Array(40);
    packet[0] = family === 4 ? 0x45 : 0x60;
    packet.set(bytes, family === 4 ? 16 : 24);
    return packet;
  };
  for (const many of ["ff02::2", "224.0.0.22", "255.255.255.255"]) {
    log.nowhereToSend(undefined, packet(many), 0, 40);
  }
  assert.deepEqual(logger.lines, []);
  log.nowhereToSend(undefined, packet("10.0.0.7"), 0, 40);
  log.nowhereToSend(connectionTo(3), packet("2001:db8::7"), 0, 40);
  assert.match(logger.lines[0] ?? "", /to 10\.0\.0\.7: no route leads/);
  assert.match(logger.lines[1] ?? "", /to 2001:db8::7: the peer of conn.* 3/);

  const ofOne = new PlaneLog(logger, () => 0);
  ofOne.nowhereToSend(undefined, packet("10.0.0.7"), 0, 40);
  assert.match(logger.lines[2] ?? "", /address of the peer is not known yet/);
});
