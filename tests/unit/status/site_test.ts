import { strict as assert } from "node:assert";
import { concat } from "../../../lab/packets.ts";
import type {
  Health,
  HealthReport,
  Report,
  ToldReport,
} from "../../../src/status/report.ts";
import { bodyOf } from "../../../src/status/answer.ts";
import { metricsLines } from "../../../src/status/metrics.ts";
import { readReport } from "../../../src/status/read_report.ts";
import { RequestError } from "../../../src/status/request.ts";
import { responsePieces } from "../../../src/status/response.ts";
import { REPORT_PATH, StatusSite } from "../../../src/status/site.ts";
import { SparedSource } from "../../../src/status/spared_source.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import {
  bodyText,
  connectionReport,
  sampleReport,
  samplesOf,
  toldReport,
} from "../../samples/report.ts";

const WELL: Health = {
  isCarrying: true,
  state: "running",
  cluster: null,
};

class FakeSource {
  readonly limits: number[] = [];
  present = WELL;
  fit: HealthReport = { state: "fit", reasons: [], since: 0 };

  report(limit: number): Promise<ToldReport> {
    this.limits.push(limit);
    return Promise.resolve(toldReport());
  }

  fitness(): HealthReport {
    return this.fit;
  }

  health(): Promise<Health> {
    return Promise.resolve(this.present);
  }
}

const pause = () => Promise.resolve();

const READING = { method: "GET" } as const;

function siteOf(source = new FakeSource(), hostName?: string) {
  const site = new StatusSite({
    source,
    connections: () => 5,
    hostName,
    pause,
  });
  return async (path: string, host: string | undefined = "localhost") => {
    try {
      const answer = await site.answer({ ...READING, path, host });
      const { status, type } = answer;
      return { status, body: await bodyText(answer), type };
    } catch (error) {
      assert.ok(error instanceof RequestError);
      return { status: error.status, body: error.message, type: "" };
    }
  };
}

Deno.test("a load balancer is told by the status whether to lead packets here", async () => {
  const source = new FakeSource();
  const ask = siteOf(source);
  const statuses = async () => {
    const { status: health } = await ask("/healthz");
    const { status: ready } = await ask("/readyz");
    return [health, ready];
  };
  assert.deepEqual(await statuses(), [200, 200]);
  for (const state of ["starting", "draining", "unfit"] as const) {
    source.fit = { state, reasons: ["a is down", "b"], since: 0 };
    assert.deepEqual(await statuses(), [200, 503]);
    assert.equal((await ask("/readyz")).body, `${state}: a is down; b\n`);
  }
  source.present = { ...WELL, isCarrying: false };
  assert.deepEqual(await statuses(), [503, 503]);
  assert.match((await ask("/healthz")).body, /does not carry packets/);
});

Deno.test("reports have as many connections as may be told of", async () => {
  const source = new FakeSource();
  const ask = siteOf(source);
  assert.match((await ask("/metrics")).body, /^anytun_connections 1$/m);
  assert.equal(JSON.parse((await ask("/status.json")).body).name, "office");
  assert.deepEqual(source.limits, [5, 5]);
});

Deno.test("who asks for the health, or for the sums, is not told of each connection", async () => {
  const source = new FakeSource();
  const ask = siteOf(source);
  assert.deepEqual(JSON.parse((await ask("/health.json")).body), source.fit);
  assert.deepEqual(source.limits, []);
  await ask("/totals.json");
  assert.deepEqual(source.limits, [0]);
});

Deno.test("the page and its parts are there, and nothing else", async () => {
  const ask = siteOf();
  assert.match((await ask("/")).type, /^text\/html/);
  assert.match((await ask("/page.css")).type, /^text\/css/);
  assert.match((await ask("/page.js")).type, /^text\/javascript/);
  const { connection } = JSON.parse((await ask("/losses.json")).body);
  assert.ok(
    connection.some(({ name }: { name: string }) => name === "wrong_tag_total"),
  );
  assert.ok(
    connection.every(({ name }: { name: string }) => !/^packets_/.test(name)),
    "what is lost, and nothing else",
  );
  for (const path of ["/x", "/../etc/passwd", "/constructor", "/__proto__"]) {
    assert.equal((await ask(path)).status, 404, path);
  }
});

Deno.test("a name that leads here from a page elsewhere gets no answer", async () => {
  const ask = siteOf();
  for (
    const host of [
      ...["localhost", "LOCALHOST:9100", "127.0.0.1", "127.0.0.1:9100"],
      ...["[::1]", "[::1]:9100", "192.0.2.1:80"],
    ]
  ) {
    assert.equal((await ask("/healthz", host)).status, 200, host);
  }
  for (
    const host of [
      ...["evil.example", "evil.example:9100", "localhost.evil.example"],
      ...["1.evil.example", "localhost."],
    ]
  ) {
    for (const path of ["/", "/metrics", "/status.json", "/healthz"]) {
      assert.equal((await ask(path, host)).status, 421, host);
    }
  }
  const named = siteOf(new FakeSource(), "VPN.example.com");
  assert.equal((await named("/metrics", "vpn.example.com:9100")).status, 200);
  assert.equal((await named("/metrics", "evil.example")).status, 421);
});

Deno.test("who asks often has the daemon work now and then", async () => {
  const clock = new ManualClock();
  const source = new FakeSource();
  const spared = new SparedSource(source, clock.delay);
  for (let k = 0; k < 100; k++) await spared.report(5);
  assert.deepEqual(source.limits, [5]);
  await spared.report(6);
  assert.deepEqual(source.limits, [5, 6]);
  await clock.pass(200);
  await spared.report(5);
  assert.deepEqual(source.limits, [5, 6, 5]);
  await settle();
  assert.equal(clock.waiting.length, 1);
});

Deno.test("who asks often for thousands of connections has them looked at five times a second at most", async () => {
  const clock = new ManualClock();
  const source = new FakeSource();
  const count = 2500;
  let told = 0;
  source.report = () =>
    Promise.resolve({
      ...{ ...toldReport(), connectionCount: count },
      connections: {
        *[Symbol.iterator]() {
          for (let mux = 0; mux < count; mux++, told++) {
            yield connectionReport({ mux, keyEpoch: told });
          }
        },
      },
    });
  const spared = new SparedSource(source, clock.delay);
  const site = new StatusSite({
    ...{ source: spared, connections: () => Infinity, pause },
  });
  const ask = () =>
    site.answer({ ...READING, path: "/metrics", host: "localhost" });
  const first = await bodyText(await ask());
  const others = await Promise.all(
    Array.from({ length: 10 }, () => ask().then(bodyText)),
  );
  assert.ok(others.every((text) => text === first));
  assert.equal(told, count);
  const waiting = await ask();
  await clock.pass(200);
  assert.notEqual(await bodyText(waiting), first, "as it is when it is read");
  assert.equal(told, 2 * count);
  await clock.pass(200);
  const head = { method: "HEAD", takesChunks: true } as const;
  await Array.fromAsync(responsePieces(await ask(), head));
  assert.equal(told, 2 * count, "HEAD has none looked at");
});

Deno.test("a report that serves many who ask is written once", async () => {
  const clock = new ManualClock();
  let reads = 0;
  const report = {
    ...toldReport(),
    totals: () => Promise.resolve({ bytes_in_total: reads++ }),
  };
  const source = new FakeSource();
  source.report = () => Promise.resolve(report);
  const spared = new SparedSource(source, clock.delay);
  const site = new StatusSite({ source: spared, connections: () => 5, pause });
  for (const path of ["/metrics", "/status.json"]) {
    const ask = () => site.answer({ method: "GET", path, host: "localhost" });
    const first = await ask();
    const once = reads;
    for (let k = 0; k < 10; k++) assert.deepEqual(await ask(), first);
    assert.equal(reads, once, path);
  }
});

Deno.test("a report of 50000 connections is written in slices, between which others have the thread", async () => {
  const connections = Array.from(
    { length: 50_000 },
    (_, mux) => connectionReport({ mux, peer: "Müller" }),
  );
  const report = sampleReport({ connections });
  const source = new FakeSource();
  source.report = () => Promise.resolve(toldReport(report));
  const clock = new ManualClock();
  const pause = () => clock.delay(0);
  const site = new StatusSite({ source, connections: () => Infinity, pause });
  const written = {
    "/status.json": jsonOf(report),
    "/metrics": [...metricsLines(report, samplesOf(report))].join(""),
  };
  for (const [path, text] of Object.entries(written)) {
    let turns = 0;
    let whole: string | undefined;
    void site.answer({ method: "GET", path, host: "localhost" })
      .then(bodyText).then((text) => whole = text);
    await settle();
    for (; whole === undefined; turns++) await clock.pass(0);
    assert.ok(turns > text.length / 300_000, `${path}: ${turns} turns`);
    assert.ok(whole === text, `${path} is the same text`);
  }
});

/** With its parts in the order in which they are looked at. */
function jsonOf({ connections, totals, ...summary }: Report): string {
  return JSON.stringify({ ...summary, connections, totals });
}

Deno.test("no sum is less than that of the connections that were told with it", async () => {
  const count = 2500;
  for (const path of ["/status.json", "/metrics"]) {
    let packets = 0;
    const connections = {
      *[Symbol.iterator]() {
        for (let mux = 0; mux < count; mux++) {
          yield connectionReport({
            ...{ mux, counters: { packets_in_total: ++packets / count } },
          });
        }
      },
    };
    const totals = () => Promise.resolve({ packets_in_total: packets });
    for (const few of [true, false]) {
      const source = new FakeSource();
      const report = {
        ...{ ...toldReport(), connections, totals },
        connectionCount: few ? 5 : count,
      };
      source.report = () => Promise.resolve(report);
      const site = new StatusSite({
        ...{ source, connections: () => Infinity, pause },
      });
      const before = packets;
      const text = await bodyText(
        await site.answer({ ...READING, path, host: "localhost" }),
      );
      const sum = path === "/metrics"
        ? /^anytun_packets_in_total (\d+)$/m.exec(text)?.[1]
        : JSON.parse(text).totals.packets_in_total;
      assert.equal(Number(sum), before + count, `${path}, ${few}`);
    }
  }
});

Deno.test("a report of many connections is written by the one who reads it, as far as that is", async () => {
  let told = 0;
  const count = 50_000;
  const connections = {
    *[Symbol.iterator]() {
      for (let mux = 0; mux < count; mux++, told++) {
        yield connectionReport({ mux });
      }
    },
  };
  const source = new FakeSource();
  const report = { ...toldReport(), connections, connectionCount: count };
  source.report = () => Promise.resolve(report);
  const site = new StatusSite({ source, connections: () => Infinity, pause });
  const ask = async () => {
    const { body } = await site.answer({
      ...{ method: "GET", path: "/status.json", host: "localhost" },
    });
    assert.ok(typeof body === "object" && Symbol.asyncIterator in body);
    return body[Symbol.asyncIterator]();
  };
  const slow = await ask();
  await slow.next();
  assert.ok(told < 3000, `${told} for the first piece`);
  const before = told;
  const other = await ask();
  for (let k = 0; k < 3; k++) await other.next();
  assert.ok(told > 2 * before, "nobody waits for the slow one");
  await slow.return?.();
  assert.ok((await slow.next()).done, "whoever goes away is told no more");
});

Deno.test("anytun status reads a report of many connections as it was told", async () => {
  const report = sampleReport({
    connections: Array.from(
      { length: 2500 },
      (_, mux) => connectionReport({ mux, peer: "Müller" }),
    ),
  });
  const source = new FakeSource();
  source.report = () => Promise.resolve(toldReport(report));
  const site = new StatusSite({ source, connections: () => Infinity, pause });
  const answer = await site.answer({
    ...{ method: "GET", path: REPORT_PATH, host: "localhost" },
  });
  const framing = { method: "GET", takesChunks: true } as const;
  const pieces = await Array.fromAsync(responsePieces(answer, framing));
  const bytes = concat(...pieces);
  const head = new TextDecoder().decode(bytes.subarray(0, 500));
  assert.doesNotMatch(head, /Content-Length/, "as it is read");
  assert.deepEqual(
    readReport(bodyOf(bytes)).connections.map(({ mux, peer }) => ({
      mux,
      peer,
    })),
    report.connections.map(({ mux, peer }) => ({ mux, peer })),
  );
});

/** Asks for a change, as a user. */
function changesOf(mayChange?: (uid: number) => boolean) {
  const changes: string[] = [];
  const control = mayChange && {
    mayChange,
    drain: (uid: number) => void changes.push(`drained by ${uid}`),
    undrain: () => void changes.push("undrained"),
  };
  const source = new FakeSource();
  const site = new StatusSite({ source, control, connections: () => 5, pause });
  const post = async (path: string, uid?: number, host = "localhost") => {
    try {
      return (await site.answer({ method: "POST", path, host }, { uid }))
        .status;
    } catch (error) {
      assert.ok(error instanceof RequestError);
      return error.status;
    }
  };
  return { changes, post };
}

Deno.test("a change is for those who may, at a listener that has something to change", async () => {
  const { changes, post } = changesOf((uid) => uid === 0 || uid === 7);
  assert.equal(await post("/drain", 7), 200);
  assert.equal(await post("/undrain", 0), 200);
  assert.deepEqual(changes.splice(0), ["drained by 7", "undrained"]);
  assert.equal(await post("/drain", 8), 403);
  assert.equal(await post("/drain"), 403, "nobody knows who asks");
  assert.equal(await post("/status.json", 0), 404);
  assert.equal(await post("/drain", 0, "evil.example"), 421);
  assert.equal(await changesOf().post("/drain", 0), 405);
  assert.deepEqual(changes, []);
});

Deno.test("nothing changes for who only reads", async () => {
  const source = new FakeSource();
  const control = {
    mayChange: () => assert.fail(),
    drain: () => assert.fail(),
    undrain: () => assert.fail(),
  };
  const site = new StatusSite({ source, control, connections: () => 5, pause });
  for (const method of ["GET", "HEAD"] as const) {
    await assert.rejects(
      site.answer({ method, path: "/drain", host: "localhost" }, { uid: 0 }),
      (error) => error instanceof RequestError && error.status === 404,
    );
  }
});
