import { strict as assert } from "node:assert";
import { PeerWatch } from "../../../src/tunnel/peer_watch.ts";

function watching() {
  const told: string[] = [];
  const watch = new PeerWatch(
    1000,
    ({ change, mux, remote }) => told.push(`${change} ${mux} ${remote}`),
  );
  const look = (now: number, ...peers: [number, string, number?][]) => {
    told.length = 0;
    watch.look(
      peers.map(([mux, remote, lastHeard]) => ({ mux, remote, lastHeard })),
      now,
    );
    return [...told];
  };
  return look;
}

Deno.test("a peer is heard once, when its first datagram has come", () => {
  const look = watching();
  assert.deepEqual(look(100, [7, "a"]), []);
  assert.deepEqual(look(200, [7, "a", 150]), ["heard 7 a"]);
  assert.deepEqual(look(300, [7, "a", 250]), []);
});

Deno.test("a peer that is heard from elsewhere has moved", () => {
  const look = watching();
  look(100, [7, "a", 50]);
  assert.deepEqual(look(200, [7, "b", 150]), ["moved 7 b"]);
  assert.deepEqual(look(300, [7, "b", 250]), []);
});

Deno.test("a peer that is heard for the first time, and not where it was looked for, has not moved", () => {
  const look = watching();
  look(100, [7, "a"]);
  assert.deepEqual(look(200, [7, "b", 150]), ["heard 7 b"]);
  assert.deepEqual(look(300, [7, "c", 250]), ["moved 7 c"]);
});

Deno.test("it is known where a peer was looked for before it was heard", () => {
  const told: (readonly [string | undefined, string | undefined])[] = [];
  const watch = new PeerWatch(
    1000,
    ({ before, remote }) => told.push([before, remote]),
  );
  const look = (now: number, lastHeard?: number) =>
    watch.look([
      { mux: 7, remote: lastHeard === undefined ? undefined : "b", lastHeard },
      { mux: 8, remote: lastHeard === undefined ? "a" : "b", lastHeard },
    ], now);
  look(100);
  look(200, 150);
  assert.deepEqual(told, [[undefined, "b"], ["a", "b"]]);
});

Deno.test("a peer falls silent once, and is heard again", () => {
  const look = watching();
  look(100, [7, "a", 50]);
  assert.deepEqual(look(1049, [7, "a", 50]), []);
  assert.deepEqual(look(1050, [7, "a", 50]), ["silent 7 a"]);
  assert.deepEqual(look(1500, [7, "a", 50]), []);
  assert.deepEqual(look(2000, [7, "a", 1900]), ["again 7 a"]);
});

Deno.test("a silent peer that was heard between two looks is heard and silent", () => {
  const look = watching();
  look(1100, [7, "a", 50]);
  assert.deepEqual(look(3000, [7, "a", 1500]), ["again 7 a", "silent 7 a"]);
  assert.deepEqual(look(4000, [7, "a", 1500]), []);
});

Deno.test("a look at one peer says nothing of the others, and forgets none", () => {
  const told: string[] = [];
  const watch = new PeerWatch(1000, ({ change, mux }) => {
    told.push(`${change} ${mux}`);
  });
  const peer = (mux: number, remote: string, lastHeard: number) => ({
    ...{ mux, remote, lastHeard },
  });
  watch.look([peer(7, "a", 50), peer(8, "b", 60)], 100);
  told.length = 0;
  watch.lookAt(peer(7, "c", 150), 200);
  assert.deepEqual(told, ["moved 7"]);
  watch.look([peer(7, "c", 150), peer(8, "b", 250)], 300);
  assert.deepEqual(told, ["moved 7"]);
});

Deno.test("a connection that was removed is forgotten", () => {
  const look = watching();
  look(100, [7, "a", 50], [8, "b", 60]);
  assert.deepEqual(look(200, [8, "b", 150]), []);
  assert.deepEqual(look(300, [7, "a", 250], [8, "b", 250]), ["heard 7 a"]);
});

Deno.test("a peer that is sent something and not heard is told of once, and only then", () => {
  const told: string[] = [];
  const watch = new PeerWatch(
    1000,
    ({ change, silence }) => told.push(`${change} ${silence}`),
  );
  const look = (now: number, sent: number, lastHeard?: number) => {
    told.length = 0;
    watch.look([{ mux: 7, remote: "a", lastHeard, sent }], now);
    return [...told];
  };
  assert.deepEqual(look(0, 0), []);
  assert.deepEqual(look(5000, 0), [], "nothing was sent");
  assert.deepEqual(look(6000, 1), []);
  assert.deepEqual(look(7000, 2), ["unanswered undefined"]);
  assert.ok(watch.isUnanswered(7, 7000));
  assert.ok(!watch.isUnanswered(7, 7600), "it is not sent anything now");
  assert.deepEqual(look(8000, 3), []);
  assert.deepEqual(look(9000, 4, 8500), ["heard undefined"]);
  assert.ok(!watch.isUnanswered(7, 9000));
  assert.deepEqual(look(9600, 4, 8500), ["silent 1100"]);
  assert.deepEqual(look(20_000, 5, 8500), []);
  assert.deepEqual(look(20_600, 6, 8500), []);
  assert.deepEqual(look(21_000, 7, 8500), ["unanswered 12500"]);
  assert.deepEqual(look(21_500, 7, 21_400), ["again 12900"]);
});

Deno.test("what was sent once and has no answer is no peer that does not answer", () => {
  const told: string[] = [];
  const watch = new PeerWatch(1000, ({ change }) => told.push(change));
  const look = (now: number, sent: number) =>
    watch.look([{ mux: 7, remote: "a", lastHeard: undefined, sent }], now);
  look(0, 0);
  look(100, 3);
  for (let now = 200; now < 5000; now += 100) look(now, 3);
  look(5000, 4);
  assert.deepEqual(told, []);
});

Deno.test("of a peer among many that nothing was sent to nothing is read, and all that is sent to it later counts", () => {
  const told: number[] = [];
  let now = 0;
  const watch = new PeerWatch(30_000, () => told.push(now), 0);
  const look = (sent: number) => {
    watch.look([{
      mux: 5,
      sent,
      lastHeard: undefined,
      get remote() {
        assert.notEqual(sent, 0, "its endpoint is read");
        return "192.0.2.1:4444";
      },
    }], now);
    now += 1000;
  };
  for (let k = 0; k < 10; k++) look(0);
  for (let sent = 1; now <= 60_000; sent++) look(sent);
  // The first datagram is that of the look at 10 s.
  assert.deepEqual(told, [40_000]);
});
