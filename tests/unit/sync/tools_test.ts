import { strict as assert } from "node:assert";
import { parsePrefix } from "../../../src/net/prefix.ts";
import {
  configRecords,
  configText,
  hangsOriginals,
} from "../../../src/sync/client_config.ts";
import { ClusterView, tableJson } from "../../../src/sync/cluster_view.ts";
import {
  changedRecords,
  parseControlFile,
} from "../../../src/sync/control_file.ts";
import { decodeFramed } from "../../../src/sync/decode.ts";
import { encodeRecord, frameText } from "../../../src/sync/encode.ts";
import { TableReader, tableText } from "../../../src/sync/showtables.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";

const CONNECTION = encodeRecord(connectionRecord());
const ROUTE = encodeRecord(routeRecord("10.0.0.0/8", 5));
const OTHER = encodeRecord(routeRecord("10.0.0.0/8", 6));

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textsIn(file: string): string[] {
  return parseControlFile(bytes(file)).map(({ text }) => text);
}

function prefix(text: string) {
  const parsed = parsePrefix(text);
  assert.ok(parsed, text);
  return parsed;
}

Deno.test("a control file is the lines of several anytun-config runs", () => {
  const file = `\n${CONNECTION}\n${ROUTE} \r\n\n \n${OTHER}${ROUTE}`;
  const records = parseControlFile(bytes(file));
  assert.deepEqual(
    records.map(({ line, text }) => [line, text]),
    [[2, CONNECTION], [3, ROUTE], [6, OTHER], [6, ROUTE]],
  );
  assert.deepEqual(
    records.map(({ text }) => decodeFramed(text))[0],
    connectionRecord(),
  );
  const { mux } = connectionRecord();
  const muxes = records.slice(0, 2).map(({ mux }) => mux);
  assert.deepEqual(muxes, [mux, undefined]);
  assert.deepEqual(textsIn(""), []);
});

Deno.test("a control file keeps the library version, and gets proper lengths", () => {
  const old = encodeRecord(connectionRecord(), 9);
  assert.deepEqual(textsIn(old), [old]);
  assert.deepEqual(textsIn(ROUTE.replace(/^000(\d\d) /, "   $1x")), [ROUTE]);
});

Deno.test("a record of a control file is served without the blanks at its end", () => {
  const blank = frameText(`${ROUTE.slice(6)} `);
  assert.deepEqual(textsIn(`${blank}${CONNECTION}\n`), [ROUTE, CONNECTION]);
});

Deno.test("a control file with a wrong line is refused, and the line is said", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["hello", /^line 2: it is shorter than its length says$/],
    ["hello world", /^line 2: Cannot read the length of a record/],
    [ROUTE.slice(0, -1), /^line 2: it is shorter than its length says$/],
    [`${ROUTE}5`, /^line 2: it is shorter than its length says$/],
    [`${ROUTE}${ROUTE.replace(" 8 10", " 7 10")}`, /^line 2: Cannot/],
    ["00000 ", /^line 2: it is shorter than its length says$/],
    [CONNECTION.replace(" 128 ", " 192 "), /^line 2: Cannot use a key length/],
    [
      frameText("22 serialization::archive 18 0 0 4 blah 5"),
      /^line 2: its command is neither connection nor route$/,
    ],
    [
      ROUTE.replace("00069", "00071") + " ä",
      /^line 2: it holds characters that are not ASCII$/,
    ],
  ];
  for (const [line, message] of wrong) {
    const file = `${ROUTE}\n${line}\n${ROUTE}\n`;
    assert.throws(
      () => parseControlFile(bytes(file)),
      (error: Error & { line?: number }) => {
        assert.match(error.message, message, line);
        assert.equal(error.line, 2);
        return true;
      },
    );
  }
});

Deno.test("a control file with two records of one connection is refused, and both lines are said", () => {
  const other = encodeRecord(connectionRecord({ mux: 6 }));
  const again = encodeRecord(connectionRecord({ firstKeyByte: 7 }));
  for (const second of [again, CONNECTION]) {
    const file = `${ROUTE}\n${CONNECTION}\n${other}\n\n${second}\n`;
    assert.throws(() => parseControlFile(bytes(file)), {
      name: "ControlFileError",
      message: "line 5: it holds connection 5, as line 2 does",
    });
  }
});

Deno.test("lines that were there before are not parsed again, wherever they are now", () => {
  const before = parseControlFile(bytes(`${CONNECTION}\n${ROUTE}\n`));
  const file = bytes(`\n${OTHER} \n${ROUTE}\t\n`);
  const after = parseControlFile(file, before);
  assert.deepEqual(after, parseControlFile(file));
  const marked = before.map((record) => ({ ...record, mux: 77 }));
  assert.deepEqual(parseControlFile(file, marked).map(({ mux }) => mux), [
    after[0]?.mux,
    77,
  ]);
  assert.throws(
    () => parseControlFile(bytes(`${CONNECTION}\n${CONNECTION}\n`), before),
    /line 2: it holds connection/,
  );
});

Deno.test("changedRecords() are those that the file did not have", () => {
  const before = parseControlFile(bytes(`${CONNECTION}\n${ROUTE}\n`));
  const after = parseControlFile(bytes(`${OTHER}\n${CONNECTION}\n`));
  const texts = changedRecords(before, after).map(({ text }) => text);
  assert.deepEqual(texts, [OTHER]);
  assert.deepEqual(changedRecords(before, before), []);
});

Deno.test("configText() is a control file", () => {
  const { command: _, seq: __, ...connection } = connectionRecord();
  const routes = ["10.1.2.3/8", "fd00::/8", "10.1.2.3/8"].map(prefix);
  const records = configRecords({ ...connection, routes });
  const text = configText(records);
  assert.equal(
    text,
    [
      connectionRecord(),
      routeRecord("10.1.2.3/8", 5),
      routeRecord("fd00::/8", 5),
      routeRecord("10.1.2.3/8", 5),
    ].map((record) => `${encodeRecord(record)}\n`).join(""),
  );
  const served = parseControlFile(bytes(text)).flatMap(({ text }) =>
    decodeFramed(text) ?? []
  );
  assert.deepEqual(served, records);
});

Deno.test("hangsOriginals() knows the routes that must not reach an original", () => {
  const hanging = [
    "10.128.0.0/9",
    "128.0.0.0/1",
    "192.168.1.128/25",
    "10.255.0.0/15",
    "fd00:8000::/17",
    "ff00::/7",
  ];
  const harmless = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/9",
    "10.64.0.0/10",
    "255.255.255.255/32",
    "192.168.1.64/26",
    "fd00::/8",
    "2001:db8::/33",
  ];
  assert.deepEqual(hanging.filter((p) => !hangsOriginals(prefix(p))), []);
  assert.deepEqual(harmless.filter((p) => hangsOriginals(prefix(p))), []);
});

Deno.test("tableText() writes the lines of anytun-showtables", () => {
  const line = (host: string, port: number) =>
    tableText(connectionRecord({ host, port }));
  assert.equal(line("192.0.2.7", 1), "Client 5: 192.0.2.7:1");
  assert.equal(line("2001:db8::7", 1), "Client 5: [2001:db8::7]:1");
  assert.equal(line("0.0.0.0", 1), "Client 5: not registered");
  assert.equal(line("::", 1), "Client 5: not registered");
  const network = { family: "ethernet", value: 1n } as const;
  const ethernet = { command: "route", network, prefixLength: 48, mux: 5 };
  assert.equal(tableText({ ...ethernet, command: "route" }), "Route: /48 -> 5");
});

Deno.test("TableReader goes on behind a bad record, but not behind a bad length", () => {
  const show = (stream: string) => {
    const reader = new TableReader();
    return [...reader.push(bytes(stream)), ...reader.end()]
      .map((line) => "text" in line ? line.text : line.error.fault);
  };
  const route = "Route: 10.0.0.0/8 -> 5";
  const bad = ROUTE.replace("archive", "Archive");
  assert.deepEqual(show(`${ROUTE}\n${bad}${ROUTE}`), [
    route,
    "invalid signature",
    route,
  ]);
  assert.deepEqual(show(`00000 ${ROUTE}`), [route]);
  assert.deepEqual(show(`${ROUTE}abcde ${ROUTE}`), [
    route,
    "input stream error",
  ]);
  assert.deepEqual(show(`${ROUTE}${ROUTE.slice(0, 20)}`), [
    route,
    "input stream error",
  ]);
  assert.deepEqual(show(`${ROUTE}\n`), [route]);
});

Deno.test("ClusterView shows the latest of each client and route in columns", () => {
  const view = new ClusterView();
  assert.deepEqual(view.lines(), [
    "CLIENT  ENDPOINT  ROLE  KD-PRF  WINDOW  NEXT",
    "",
    "ROUTE  CLIENT",
  ]);
  view.apply(connectionRecord({ mux: 300, host: "0.0.0.0", role: "right" }));
  view.apply(connectionRecord({ seq: 1 }));
  view.apply(routeRecord("fd00::/8", 300));
  view.apply(routeRecord("10.0.0.0/8", 300));
  view.apply(connectionRecord({ seq: 4_000_000_000, windowSize: 0 }));
  view.apply(routeRecord("10.0.0.0/8", 5));
  assert.deepEqual(view.lines(), [
    "CLIENT  ENDPOINT        ROLE   KD-PRF       WINDOW  NEXT",
    "5       192.0.2.7:4444  left   aes-ctr-128  0       4000000000",
    "300     not registered  right  aes-ctr-128  100     0",
    "",
    "ROUTE       CLIENT",
    "10.0.0.0/8  5",
    "fd00::/8    300",
  ]);
});

Deno.test("tableJson() tells all but the keys", () => {
  assert.deepEqual(JSON.parse(tableJson(connectionRecord())), {
    type: "client",
    mux: 5,
    endpoint: "192.0.2.7:4444",
    role: "left",
    kd_prf: "aes-ctr-128",
    window_size: 100,
    next_seq: 0,
  });
  const network = { family: "ethernet", value: 0x0200_0000_00ffn } as const;
  const ethernet = { network, prefixLength: 24, mux: 5 };
  assert.deepEqual(JSON.parse(tableJson({ command: "route", ...ethernet })), {
    type: "route",
    prefix: "02:00:00:00:00:ff/24",
    mux: 5,
  });
});
