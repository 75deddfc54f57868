import { strict as assert } from "node:assert";
import { ReplayWindow } from "../../../src/satp/replay_window.ts";
import { endpointWords } from "../../../src/tunnel/connection_table.ts";
import { copySockaddr, sameSockaddr } from "../../../ffi/net/sockaddr.ts";
import { EndpointTenure } from "../../../src/tunnel/roaming.ts";

const HOME = endpointWords().fill(4);
const AWAY = endpointWords().fill(6);
const ATTACKER = endpointWords().fill(9);

/** A connection without window, as far as it concerns the endpoint. */
class Follower {
  readonly endpoint = endpointWords();
  readonly #tenure = new EndpointTenure();
  readonly #window = new ReplayWindow(0);
  now = 0;

  hear(from: Uint32Array, seq: number, senderId = 0): void {
    const before = this.#window.highest(senderId);
    this.#window.accept(senderId, seq);
    const highest = this.#window.highest(senderId) ?? seq;
    const isNewest = highest !== before;
    const heard = { senderId, seq, highest, isNewest, now: this.now };
    if (sameSockaddr(this.endpoint, 0, from, 0)) this.#tenure.hear(heard);
    else if (this.#tenure.yields(this.endpoint, from, 0, heard)) {
      copySockaddr(from, 0, this.endpoint, 0);
    }
  }

  isAt(endpoint: Uint32Array): boolean {
    return sameSockaddr(this.endpoint, 0, endpoint, 0);
  }
}

/**
 * A peer that had counted to 1000 at home starts again, and sends a datagram
 * each second for two minutes; somebody sends a recorded one again meanwhile.
 *
 * @param everyMs How often
 * @returns How many of the last 100 datagrams left the endpoint at the peer
 * until the recording came again
 */
function underReplay(
  everyMs: number,
  peer: Uint32Array,
  recordedFrom: Uint32Array,
  recorded: number,
): number {
  const follower = new Follower();
  for (let seq = 0; seq < 1000; seq++) follower.hear(HOME, seq);
  let kept = 0;
  for (let ms = 50; ms <= 120_000; ms += 50) {
    follower.now = ms;
    if (ms % everyMs === 0) follower.hear(recordedFrom, recorded);
    if (ms % 1000 !== 0) continue;
    if (ms > 20_000 && follower.isAt(peer)) kept++;
    follower.hear(peer, ms / 1000);
  }
  return kept;
}

for (const everyMs of [50, 100, 500, 1000, 4000]) {
  Deno.test(`a datagram recorded at home and sent each ${everyMs} ms does not hold a peer that has moved`, () => {
    assert.equal(underReplay(everyMs, AWAY, HOME, 999), 100);
    assert.equal(underReplay(everyMs, AWAY, HOME, 500), 100);
  });

  Deno.test(`a recorded datagram that comes from elsewhere each ${everyMs} ms does not take a peer that has started again`, () => {
    assert.equal(underReplay(everyMs, HOME, ATTACKER, 999), 100);
    assert.equal(underReplay(everyMs, HOME, ATTACKER, 500), 100);
  });

  Deno.test(`a recorded datagram sent each ${everyMs} ms from elsewhere does not find a peer that has moved`, () => {
    assert.equal(underReplay(everyMs, AWAY, ATTACKER, 999), 100);
  });
}

Deno.test("an unknown sender id does not keep the endpoint with one datagram", () => {
  const follower = new Follower();
  follower.hear(HOME, 10, 1);
  follower.hear(ATTACKER, 70_000, 2);
  assert.ok(follower.isAt(ATTACKER));
  follower.hear(HOME, 11, 1);
  assert.ok(follower.isAt(HOME));
  follower.hear(ATTACKER, 70_000, 2);
  assert.ok(follower.isAt(HOME));
});

Deno.test("of two that were moved to without proof, neither keeps the proven one away", () => {
  const follower = new Follower();
  follower.hear(HOME, 10);
  follower.hear(ATTACKER, 1000, 1);
  follower.hear(AWAY, 1000, 2);
  assert.ok(follower.isAt(AWAY));
  follower.hear(HOME, 11);
  assert.ok(follower.isAt(HOME));
});
