import assert from "node:assert/strict";
import {
  claimAnycast,
  claimScript,
} from "../../../src/daemon/anycast_claim.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

Deno.test("an address that another daemon announces is refused, and a claim of another user named and passed over", () => {
  const logger = recordingLog();
  const free = { [Symbol.dispose]() {} };
  const claim = (
    found: Disposable | number,
    verb: "announce" | "withdraw" = "announce",
  ) =>
    claimAnycast("192.0.2.1", {
      claimName: (name) => {
        assert.equal(name, "anytun/anycast/192.0.2.1");
        return found;
      },
      users: [17, undefined, 18],
      logger,
      verb,
    });
  assert.equal(claim(free), free);
  for (const user of [0, 17, 18]) {
    assert.throws(
      () => claim(user),
      /Cannot announce 192\.0\.2\.1 \(--anycast-address\): another anytun/,
    );
  }
  assert.throws(() => claim(17, "withdraw"), /Cannot withdraw 192\.0\.2\.1/);
  assert.deepEqual(logger.lines, []);
  assert.equal(claim(1000), undefined);
  assert.match(logger.lines.join(), /WARNING: user 1000 of this host claims/);
});

Deno.test("a daemon with a script claims its name, as much of it as there is room for", () => {
  const claimed: string[] = [];
  const claim = (name: string, user: number) =>
    claimScript(name, {
      claimName: (name) => {
        claimed.push(name);
        return user;
      },
      ...{ users: [17], logger: recordingLog(), verb: "announce" },
    });
  assert.throws(
    () => claim("vpn", 17),
    /Cannot announce 'vpn' \(--announce-script\): another anytun of this host/,
  );
  assert.equal(claim("é".repeat(50), 1000), undefined);
  assert.deepEqual(claimed, [
    "anytun/announce/vpn",
    `anytun/announce/${"é".repeat(45)}`,
  ]);
  // With the zero byte in front.
  assert.ok(new TextEncoder().encode(claimed[1]).length < 107);
});
