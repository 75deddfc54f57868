import { strict as assert } from "node:assert";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { plainText } from "../../../src/status/response.ts";
import type { StatusRequest } from "../../../src/status/request.ts";
import { StatusServer } from "../../../src/status/server.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { FakeClient, FakeListener } from "../../fakes/status_streams.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

async function served(
  body: (rig: {
    readonly clock: ManualClock;
    readonly lines: readonly string[];
    offer(client: FakeClient | Error): Promise<void>;
  }) => Promise<void>,
  answer = ({ path }: StatusRequest) =>
    Promise.resolve(plainText(200, `this is ${path}`)),
  hasChanges = false,
): Promise<void> {
  const clock = new ManualClock();
  const listener = new FakeListener();
  const logger = recordingLog();
  const log = new RateLimitedLog(logger, { burst: 99, perSecond: 1 }, () => 0);
  const { delay } = clock;
  const server = new StatusServer({
    ...{ listener, hasChanges, title: "'here'", answer, delay, log },
  });
  const running = server.run();
  await body({
    clock,
    lines: logger.lines,
    async offer(client) {
      listener.offer(client);
      await settle();
    },
  });
  server.close();
  await running;
}

Deno.test("a client is answered once, whole, and let go", async () => {
  await served(async ({ offer }) => {
    const client = new FakeClient();
    await offer(client);
    for (const piece of [REQUEST.slice(0, 9), REQUEST.slice(9)]) {
      client.say(piece);
      await settle();
    }
    const [head = "", body] = client.heard.split("\r\n\r\n");
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(head, /\r\nContent-Length: 10\r\n/);
    assert.match(head, /\r\nCache-Control: no-store\r\n/);
    assert.match(head, /\r\nContent-Security-Policy: default-src 'none';/);
    assert.equal(body, "this is /\n");
    assert.ok(client.isClosed);
  });
});

Deno.test("an answer in pieces is the same as one in one", async () => {
  const body = ["a", "bc", "def"].map((text) => new TextEncoder().encode(text));
  await served(async ({ offer }) => {
    const client = new FakeClient();
    client.say(REQUEST);
    await offer(client);
    assert.match(client.heard, /\r\nContent-Length: 6\r\n/);
    assert.ok(client.heard.endsWith("\r\n\r\nabcdef"));
    const other = new FakeClient();
    other.say(REQUEST.replace("GET", "HEAD"));
    await offer(other);
    assert.match(other.heard, /\r\nContent-Length: 6\r\n.*\r\n\r\n$/s);
  }, () => Promise.resolve({ status: 200, type: "text/plain", body }));
});

Deno.test("an answer that is made while it is read comes in chunks, and not to who knows none", async () => {
  const made: string[] = [];
  let ended = 0;
  const body = () => ({
    async *[Symbol.asyncIterator]() {
      try {
        for (const text of ["a".repeat(20), "", "bc"]) {
          made.push(text);
          yield await Promise.resolve(new TextEncoder().encode(text));
        }
      } finally {
        ended++;
      }
    },
  });
  await served(async ({ offer, clock }) => {
    const asked = async (request: string, takes = true) => {
      const client = new FakeClient({ takes });
      client.say(request);
      await offer(client);
      return client;
    };
    const [head = "", ...rest] = (await asked(REQUEST)).heard.split("\r\n\r\n");
    assert.match(head, /\r\nTransfer-Encoding: chunked\r\n/);
    assert.doesNotMatch(head, /Content-Length/);
    const chunks = `14\r\n${"a".repeat(20)}\r\n2\r\nbc\r\n0\r\n\r\n`;
    assert.equal(rest.join("\r\n\r\n"), chunks);
    const old = await asked(REQUEST.replace("1.1", "1.0"));
    assert.match(old.heard, /^HTTP\/1\.1 426 .*\r\nUpgrade: HTTP\/1\.1\r\n/s);
    assert.match(old.heard, /\r\nConnection: close, upgrade\r\n/);
    assert.match(old.heard, /ask by HTTP\/1\.1, as nginx does with/);
    made.length = 0;
    const none = await asked(REQUEST.replace("GET", "HEAD"));
    assert.match(none.heard, /chunked\r\n.*\r\n\r\n$/s);
    assert.deepEqual(made, [], "HEAD has nothing made");
    await clock.pass(200);
    const slow = await asked(REQUEST, false);
    assert.deepEqual(made, [], "nor has who does not read");
    await clock.pass(10_000);
    assert.ok(slow.isClosed);
    assert.equal(ended, 1);
  }, () => Promise.resolve({ status: 200, type: "text/plain", body: body() }));
});

/** Says where it has come to, and goes on when it is let. */
function steps() {
  const begun: string[] = [];
  const gate = Promise.withResolvers<void>();
  const answer = ({ path }: StatusRequest) =>
    Promise.resolve({
      ...{ status: 200, type: "text/plain" },
      body: {
        async *[Symbol.asyncIterator]() {
          begun.push(path);
          yield new TextEncoder().encode("half ");
          await gate.promise;
          yield new TextEncoder().encode("whole");
        },
      },
    });
  return { begun, answer, goOn: () => gate.resolve() };
}

Deno.test("of what is written for each who reads it, each user has one at a time, and not too often", async () => {
  const { begun, answer, goOn } = steps();
  await served(async ({ offer, clock }) => {
    const ask = async (path: string, uid: number) => {
      const client = new FakeClient({ uid });
      client.say(REQUEST.replace("/", path));
      await offer(client);
      return client;
    };
    const all = [await ask("/a", 7), await ask("/b", 7), await ask("/c", 7)];
    await ask("/other", 8);
    assert.deepEqual(begun, ["/a", "/other"]);
    assert.equal(all[1]?.heard, "", "nothing is said that may not come");
    goOn();
    await settle();
    assert.ok(all[0]?.heard.endsWith("whole\r\n0\r\n\r\n"));
    await clock.pass(199);
    assert.deepEqual(begun, ["/a", "/other"]);
    await clock.pass(1);
    assert.deepEqual(begun, ["/a", "/other", "/b"], "in order of arrival");
    await clock.pass(200);
    assert.ok(all.every(({ heard }) => /^HTTP\/1\.1 200 .*whole/s.test(heard)));
    await clock.pass(200);
    assert.deepEqual(clock.waiting, []);
  }, answer);
});

Deno.test("who waits for a slow one of its own is told so after a while, and holds up nobody when it is gone", async () => {
  const { begun, answer, goOn } = steps();
  await served(async ({ offer, clock }) => {
    const ask = async (path: string) => {
      const client = new FakeClient({ uid: 7 });
      client.say(REQUEST.replace("/", path));
      await offer(client);
      return client;
    };
    await ask("/a");
    const patient = await ask("/b");
    await clock.pass(4999);
    assert.equal(patient.heard, "");
    await clock.pass(1);
    assert.match(patient.heard, /^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n/s);
    assert.ok(patient.isClosed);
    const crowd = [];
    for (let k = 0; k < 40; k++) crowd.push(await ask(`/${k}`));
    assert.equal(crowd.filter(({ isClosed }) => !isClosed).length, 16);
    // Of each its own time, and its patience.
    assert.equal(clock.waiting.length, 2 * 16, "nobody waits who is gone");
    goOn();
    await settle();
    await clock.pass(0);
    assert.deepEqual(begun, ["/a", "/24"]);
  }, answer);
});

Deno.test("an answer that breaks off has no end, and is an error of the daemon", async () => {
  const body = {
    async *[Symbol.asyncIterator]() {
      yield await Promise.resolve(new TextEncoder().encode("half"));
      throw new Error("out of order");
    },
  };
  await served(async ({ offer, lines }) => {
    const client = new FakeClient();
    client.say(REQUEST);
    await offer(client);
    assert.ok(client.isClosed);
    assert.ok(client.heard.endsWith("4\r\nhalf\r\n"));
    assert.deepEqual(lines, [
      "ERROR: status at 'here' has no whole answer: out of order",
    ]);
  }, () => Promise.resolve({ status: 200, type: "text/plain", body }));
});

Deno.test("HEAD gets everything but the body, and a bad request says why", async () => {
  await served(async ({ offer }) => {
    const asked = async (request: string) => {
      const client = new FakeClient();
      client.say(request);
      await offer(client);
      assert.ok(client.isClosed);
      return client.heard;
    };
    const head = await asked(REQUEST.replace("GET", "HEAD"));
    assert.match(head, /\r\nContent-Length: 10\r\n/);
    assert.ok(head.endsWith("\r\n\r\n"));
    const put = await asked(REQUEST.replace("GET", "PUT"));
    assert.match(put, /^HTTP\/1\.1 405 .*\r\nAllow: GET, HEAD\r\n/s);
    assert.doesNotMatch(put, /POST/);
    assert.match(await asked("\x16\x03\x01\r\n\r\n"), /^HTTP\/1\.1 400 /);
    assert.match(await asked("GET /".padEnd(9000, "x")), /^HTTP\/1\.1 431 /);
  });
});

Deno.test("a method that there is not is told which ones there are where something can be changed", async () => {
  await served(
    async ({ offer }) => {
      const client = new FakeClient();
      client.say(REQUEST.replace("GET", "PUT"));
      await offer(client);
      assert.match(
        client.heard,
        /^HTTP\/1\.1 405 .*\r\nAllow: GET, HEAD, POST\r\n/s,
      );
    },
    undefined,
    true,
  );
});

Deno.test("who neither asks nor listens is let go after a while", async () => {
  await served(async ({ offer, clock }) => {
    const silent = new FakeClient();
    const slow = new FakeClient({ takes: false });
    const gone = new FakeClient();
    slow.say(REQUEST);
    for (const client of [silent, slow, gone]) await offer(client);
    gone.end();
    await settle();
    assert.ok(gone.isClosed);
    await clock.pass(9999);
    assert.ok(!silent.isClosed && !slow.isClosed);
    await clock.pass(1);
    assert.ok(silent.isClosed && slow.isClosed);
    assert.deepEqual(clock.waiting, []);
  });
});

Deno.test("many who say nothing do not keep others from an answer", async () => {
  await served(async ({ offer }) => {
    const crowd = Array.from({ length: 40 }, () => new FakeClient());
    for (const client of crowd) await offer(client);
    assert.equal(crowd.filter(({ isClosed }) => !isClosed).length, 16);
    assert.ok(crowd[0]?.isClosed, "the first one gives way");
    const client = new FakeClient();
    client.say(REQUEST);
    await offer(client);
    assert.match(client.heard, /this is/);
  });
});

for (
  const [whom, crowd, other] of [
    ["a user of this host", { uid: 1000 }, { uid: 0 }],
    ["a host", { address: "192.0.2.1" }, { address: "192.0.2.2" }],
    ["a network of IPv6", { address: "2001:db8::1" }, { address: "::1" }],
  ] as const
) {
  Deno.test(`a crowd of ${whom} pushes out nobody but itself`, async () => {
    await served(async ({ offer }) => {
      const crowdOf = async (count: number) => {
        const clients = Array.from(
          { length: count },
          () => new FakeClient(crowd),
        );
        for (const client of clients) await offer(client);
        return clients;
      };
      await crowdOf(16);
      const client = new FakeClient(other);
      await offer(client);
      const later = await crowdOf(40);
      assert.ok(!client.isClosed);
      assert.equal(later.filter(({ isClosed }) => !isClosed).length, 15);
      client.say(REQUEST);
      await settle();
      assert.match(client.heard, /this is/);
    });
  });
}

Deno.test("an answer that fails is an error of the daemon, and the next one comes", async () => {
  const answer = ({ path }: StatusRequest) =>
    path === "/"
      ? Promise.reject(new Error("out of order"))
      : Promise.resolve(plainText(200, "well"));
  await served(async ({ offer, lines }) => {
    const first = new FakeClient();
    first.say(REQUEST);
    await offer(first);
    assert.match(first.heard, /^HTTP\/1\.1 500 /);
    assert.ok(!first.heard.includes("out of order"));
    assert.deepEqual(lines, [
      "ERROR: status at 'here' has no answer: out of order",
    ]);
    const second = new FakeClient();
    second.say(REQUEST.replace("/", "/x"));
    await offer(second);
    assert.match(second.heard, /well/);
  }, answer);
});

Deno.test("a listener that fails for a moment goes on after a pause", async () => {
  await served(async ({ offer, clock, lines }) => {
    await offer(new Error("too many open files"));
    assert.match(lines.join(), /cannot accept a client: too many open files/);
    const client = new FakeClient();
    client.say(REQUEST);
    await offer(client);
    assert.equal(client.heard, "");
    await clock.pass(1000);
    assert.match(client.heard, /this is/);
  });
});
