import assert from "node:assert/strict";
import { Errno } from "../../../ffi/errno.ts";
import type { AnnounceOptions } from "../../../src/config/announce.ts";
import { withdrawAll } from "../../../src/daemon/withdrawal.ts";
import { FakeAnycastDevice, prefixOf } from "../../fakes/announce_rig.ts";

const [ONE, TWO] = ["192.0.2.1/32", "2001:db8::1/128"];

/** What was left on any0, and the names that processes of users have by now. */
class Rig {
  readonly notes: string[] = [];
  readonly faults: string[] = [];
  readonly claimed = new Set<string>();
  readonly owners = new Map<string, number>();
  readonly device = new FakeAnycastDevice(this.notes);
  /** Of the script. */
  reason: string | undefined;

  constructor() {
    this.device.here.add(ONE).add(TWO);
    this.device.takenIn.add("192.0.2.1/0").add("2001:db8::1/0");
  }

  readonly withdraw = (given: Partial<AnnounceOptions> = {}) => {
    const addresses = [ONE, TWO].map(prefixOf);
    const all = { addresses, device: "any0", script: "/tell", ...given };
    const { claimed } = this;
    return withdrawAll(all, "vpn", {
      claimName: (name) => {
        const owner = this.owners.get(name);
        if (owner !== undefined) return owner;
        claimed.add(name);
        return { [Symbol.dispose]: () => void claimed.delete(name) };
      },
      users: [17],
      openDevice: () => this.device.open(),
      runScript: (path) => {
        this.notes.push(`run ${path} with ${claimed.size} claims`);
        return this.reason === undefined
          ? Promise.resolve()
          : Promise.reject(new Error(this.reason));
      },
      say: () => {},
      fault: (text) => void this.faults.push(text),
    });
  };
}

Deno.test("what a daemon has left is taken away, and the script told while nobody can start", async () => {
  const { claimed, device, faults, notes, withdraw } = new Rig();
  assert.equal(await withdraw(), true);
  assert.equal(claimed.size, 0, "and again from now on");
  assert.deepEqual([device.here.size, device.takenIn.size], [0, 0]);
  assert.deepEqual(notes, [
    ...[`remove ${ONE}`, `remove ${TWO}`, "run /tell with 3 claims"],
  ]);
  assert.deepEqual(faults, []);
});

Deno.test("an address that another daemon announces does not keep the others, nor the script", async () => {
  const { device, faults, notes, owners, withdraw } = new Rig();
  owners.set("anytun/anycast/192.0.2.1", 17);
  assert.equal(await withdraw(), false);
  assert.deepEqual([...device.here], [ONE]);
  assert.match(notes.join(), /^remove 2001:\S+,run \/tell/);
  assert.match(faults.join(), /^Cannot withdraw 192\.0\.2\.1 \([^\n]*own$/);
});

Deno.test("a script is not told where all addresses, or the name, are those of a daemon that lives", async () => {
  const all = new Rig();
  all.owners.set("anytun/anycast/192.0.2.1", 0);
  all.owners.set("anytun/anycast/2001:db8::1", 17);
  assert.equal(await all.withdraw(), false);
  const named = new Rig();
  named.owners.set("anytun/announce/vpn", 17);
  const alone = { addresses: [], device: undefined };
  assert.equal(await named.withdraw(alone), false);
  assert.deepEqual([...all.notes, ...named.notes], []);
  assert.match(
    named.faults.join(),
    /^Cannot withdraw 'vpn' \(--announce-script\): another anytun of this host/,
  );
  named.owners.set("anytun/announce/vpn", 1000);
  assert.equal(await named.withdraw(alone), true, "anybody could do that");
  assert.equal(named.notes.length, 1);
});

Deno.test("what the kernel does not take away is no reason to leave the rest, and the end tells", async () => {
  for (const errno of [Errno.EPERM, Errno.EOPNOTSUPP]) {
    const { device, faults, notes, withdraw } = new Rig();
    device.errno = errno;
    assert.equal(await withdraw(), false);
    assert.equal(faults.length, 2);
    assert.deepEqual(notes, ["run /tell with 3 claims"]);
  }
  const rig = new Rig();
  rig.reason = "returned 3";
  assert.equal(await rig.withdraw(), false);
  assert.deepEqual(rig.faults, ["returned 3"]);
  assert.equal(rig.device.here.size, 0);
});
