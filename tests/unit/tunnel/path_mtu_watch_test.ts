import assert from "node:assert/strict";
import { parseEndpoint } from "../../../src/net/endpoint.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import { PLANE_COUNTERS, PlaneCounter } from "../../../src/tunnel/counters.ts";
import { writeEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { LiveSettings } from "../../../src/tunnel/live_settings.ts";
import { PathMtuWatch } from "../../../src/tunnel/path_mtu_watch.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { secretsOf } from "../../vectors/satp.ts";

const VECTOR = {
  cipher: "null",
  kd_prf: "aes-ctr-128",
  auth_algo: "null",
  auth_tag_length: 0,
  passphrase: "paths",
};

const secrets = await secretsOf(VECTOR);

function words(text: string): Uint32Array {
  const into = endpointWords();
  writeEndpoint(into, 0, parseEndpoint(text));
  return into;
}

function setUp() {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const live = new LiveSettings();
  const logger = recordingLog();
  const device = { mtu: 1400 };
  const known = { mtu: 1500, asked: 0, isLoop: false };
  const probe = {
    mtu() {
      known.asked++;
      return known.mtu;
    },
  };
  const inTheWay = { name: "tun0", isWayTo: () => known.isLoop };
  const watch = new PathMtuWatch({
    ...{ table, live, logger, device, inTheWay },
    probes: [{ mtu: () => 0 }, probe],
  });
  const connect = (mux: number, endpoint = "192.0.2.1:4444") => {
    table.endpoints.set(mux, words(endpoint), 0);
    table.put(mux, { role: "left", secrets, windowSize: 0 }, 0);
  };
  const lowered = () =>
    watch.addTo(new Float64Array(PLANE_COUNTERS))[
      PlaneCounter.PATH_MTU_LOWERED
    ];
  return { table, live, logger, device, known, watch, connect, lowered };
}

Deno.test("what the kernel knows of a path is in the table, and lowering it is told", () => {
  const { table, logger, known, watch, connect, lowered } = setUp();
  watch.look();
  connect(5);
  watch.look();
  assert.equal(table.endpoints.pathMtu(5), 1500);
  assert.equal(lowered(), 0);
  assert.deepEqual(logger.lines, []);

  const version = table.version(5);
  watch.look();
  assert.equal(table.version(5), version, "nothing new, nothing to renew");

  known.mtu = 1280;
  watch.look();
  assert.equal(table.endpoints.pathMtu(5), 1280);
  assert.notEqual(table.version(5), version);
  assert.equal(lowered(), 1);

  known.mtu = 0;
  watch.look();
  assert.equal(table.endpoints.pathMtu(5), 1280, "no way there just now");
  known.mtu = 1500;
  watch.look();
  assert.equal(lowered(), 1, "raised again");
  assert.deepEqual(logger.lines, [
    "INFO: the path of connection 5 takes packets of 1280 bytes, before 1500",
    "INFO: the path of connection 5 takes packets of 1500 bytes, before 1280",
  ]);
});

Deno.test("what was known of a path is forgotten with the endpoint", () => {
  const { table, watch, connect } = setUp();
  connect(5);
  watch.look();
  table.endpoints.set(5, words("192.0.2.2:4444"), 0);
  assert.equal(table.endpoints.pathMtu(5), 0);
  watch.look();
  const name = table.sealing(5) ?? 0;
  table.endpoints.follow(5, name, words("192.0.2.3:4444"), 0);
  assert.equal(table.endpoints.pathMtu(5), 0);
  watch.look();
  table.remove(5);
  assert.equal(table.endpoints.pathMtu(5), 0);
  assert.equal(
    table.endpoints.setPathMtu(5, 1400),
    0,
    "there is no connection",
  );
  assert.equal(table.endpoints.pathMtu(5), 0);
});

Deno.test("the MTU of the device is looked at again, as long as there is one", () => {
  const { live, device, watch } = setUp();
  watch.look();
  assert.equal(live.deviceMtu, 1400);
  device.mtu = 1300;
  watch.look();
  assert.equal(live.deviceMtu, 1300);
  Object.defineProperty(device, "mtu", {
    get() {
      throw new Error("Cannot find the MTU of a closed device");
    },
  });
  watch.look();
  assert.equal(live.deviceMtu, 1300);
});

Deno.test("of many connections each look asks about some, and all have their turn", () => {
  const { table, known, watch, connect } = setUp();
  for (let mux = 0; mux < 150; mux++) connect(mux);
  watch.look();
  assert.equal(known.asked, 64);
  watch.look();
  watch.look();
  assert.equal(known.asked, 150);
  const muxes = table.liveMuxes();
  assert.ok(muxes.every((mux) => table.endpoints.pathMtu(mux) === 1500));
  watch.look();
  assert.equal(known.asked, 150 + 64);
});

Deno.test("paths that change all the time fill no log", () => {
  const { logger, known, watch, connect } = setUp();
  for (let mux = 0; mux < 50; mux++) connect(mux);
  for (let second = 0; second < 100; second++) {
    known.mtu = 1500 - second % 2 * 100;
    watch.look();
  }
  const { length } = logger.lines;
  assert.ok(length > 5 && length < 40, `${length} lines in 100 s`);
  assert.ok(logger.lines.some((line) => /held back .* path MTU/.test(line)));
});

Deno.test("a way to a peer through the tunnel itself is told once, and again when it comes back", () => {
  const { logger, known, watch, connect } = setUp();
  connect(5);
  watch.look();
  assert.deepEqual(logger.lines, []);

  known.isLoop = true;
  for (let k = 0; k < 20; k++) watch.look();
  const [line = ""] = logger.lines;
  assert.match(
    line,
    /connection 5: the way to 192\.0\.2\.1:4444 leads through/,
  );
  assert.match(line, /\(tun0\).*--mark/);
  assert.equal(logger.lines.length, 1);

  known.isLoop = false;
  watch.look();
  known.isLoop = true;
  watch.look();
  assert.equal(logger.lines.length, 2);
});
