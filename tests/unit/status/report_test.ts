import { strict as assert } from "node:assert";
import { HEALTH_STATES } from "../../../src/health/state_machine.ts";
import { bodyOf } from "../../../src/status/answer.ts";
import { ReportError } from "../../../src/status/fields.ts";
import { readReport } from "../../../src/status/read_report.ts";
import { isReady } from "../../../src/status/report.ts";
import { connectionReport, sampleReport } from "../../samples/report.ts";

Deno.test("a report comes back from its JSON as it was", () => {
  const report = sampleReport({
    connections: [connectionReport(), connectionReport({ keyEpoch: 5 })],
    cluster: {
      inStep: true,
      servers: [{ server: "a:1", isConnected: true }],
      clients: ["b"],
      passedOver: 3,
    },
    counters: { unknown_mux_total: 1 },
  });
  assert.deepEqual(
    JSON.parse(JSON.stringify(readReport(JSON.stringify(report)))),
    report,
  );
});

Deno.test("what is no report is refused as a whole, and named by its place", () => {
  const bad: readonly [object, string][] = [
    [{ pid: "1" }, "pid is no number from 0 on"],
    [{ time: -1 }, "time is no number from 0 on"],
    [{ name: 5 }, "name is no text"],
    [{ format: 2 }, "its format is 2, and this program reads 1"],
    [
      { state: "fine" },
      "state is none of starting, running, reloading, draining",
    ],
    [{ isCarrying: 1 }, "isCarrying is neither true nor false"],
    [{ health: null }, "health is no object"],
    [
      { health: { state: "well", reasons: [], since: 1 } },
      "health.state is none of starting, fit, draining, unfit",
    ],
    [
      { health: { state: "fit", reasons: "", since: 1 } },
      "health.reasons is no list",
    ],
    [{ announcement: 1 }, "announcement is no object"],
    [
      { announcement: { addresses: [1] } },
      "announcement.addresses[0] is no text",
    ],
    [{ device: [] }, "device is no object"],
    [{ listening: {} }, "listening is no list"],
    [{ listening: ["", 1] }, "listening[1] is no text"],
    [
      { connections: [connectionReport(), { mux: 1 }] },
      "connections[1].peer is no text",
    ],
    [{ totals: { a: "x" } }, "totals.a is no number from 0 on"],
  ];
  for (const [change, what] of bad) {
    const text = JSON.stringify({ ...sampleReport(), ...change });
    assert.throws(
      () => readReport(text),
      new ReportError(what),
    );
  }
  for (const text of ["", "{", "null", "[]", "7"]) {
    assert.throws(() => readReport(text), ReportError);
  }
});

Deno.test("a daemon that began before statements were counted has passed over none", () => {
  const cluster = { inStep: true, servers: [], clients: [] };
  const read = (own: object) =>
    readReport(JSON.stringify({
      ...sampleReport(),
      cluster: { ...cluster, ...own },
    })).cluster?.passedOver;
  assert.equal(read({}), 0);
  assert.equal(read({ passedOver: 4 }), 4);
  for (const passedOver of [null, -1, "1"]) {
    assert.throws(
      () => read({ passedOver }),
      new ReportError("cluster.passedOver is no number from 0 on"),
    );
  }
});

Deno.test("counters may have any name, and change nothing but themselves", () => {
  const text = JSON.stringify(sampleReport()).replace(
    '"totals":{}',
    '"totals":{"__proto__":3,"constructor":4}',
  );
  const { totals } = readReport(text);
  assert.deepEqual(Object.entries(totals), [["__proto__", 3], [
    "constructor",
    4,
  ]]);
});

Deno.test("only the body of a good answer is taken for a report", () => {
  const body = (answer: string) => bodyOf(new TextEncoder().encode(answer));
  assert.equal(body("HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}"), "{}");
  for (
    const answer of [
      "",
      "SSH-2.0-x\r\n\r\n",
      "HTTP/1.1 200 OK\r\n",
      "\r\n\r\n{}",
    ]
  ) {
    assert.throws(() => body(answer), /is no daemon of anytun/);
  }
  assert.throws(() => body("HTTP/1.1 500 x\r\n\r\n{}"), /its status is 500/);
});

Deno.test("an answer that was cut is not taken for a shorter one, wherever that was", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const text = '{"peer":"M\u00fcller"}';
  // In the middle of a character.
  const [first, rest] = [bytes(text).subarray(0, 11), bytes(text).subarray(11)];
  const head = "HTTP/1.1 200 OK\r\nContent-Type: x\r\n";
  const chunked = Uint8Array.of(
    ...bytes(`${head}Transfer-Encoding: chunked\r\n\r\nb\r\n`),
    ...first,
    ...bytes(`\r\n${rest.length.toString(16)}\r\n`),
    ...rest,
    ...bytes("\r\n0\r\n\r\n"),
  );
  const sized = bytes(
    `${head}Content-Length: ${bytes(text).length}\r\n\r\n${text}`,
  );
  for (const answer of [chunked, sized]) {
    assert.equal(bodyOf(answer), text);
    const start = String.fromCharCode(...answer).indexOf("\r\n\r\n") + 4;
    for (let length = start; length < answer.length; length++) {
      assert.throws(
        () => bodyOf(answer.subarray(0, length)),
        new ReportError("the answer was cut off before its end"),
        `${length} bytes`,
      );
    }
  }
});

Deno.test("chunks that are none are refused", () => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (
    const body of [
      ...[
        "x\r\n",
        "\r\n{}\r\n",
        "2\r{}",
        "2\r\n{}xx0\r\n\r\n",
        "-1\r\n\r\n\r\n",
      ],
      ...["123456789\r\n", "0x2\r\n{}\r\n0\r\n\r\n", "2;a\r\n{}\r\n0\r\n\r\n"],
    ]
  ) {
    assert.throws(
      () => bodyOf(new TextEncoder().encode(head + body)),
      new ReportError("the answer is not in chunks, as it says"),
      body,
    );
  }
});

Deno.test("a daemon is ready that is fit, and no other one", () => {
  assert.deepEqual(HEALTH_STATES.filter((state) => isReady({ state })), [
    "fit",
  ]);
});
