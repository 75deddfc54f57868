import { strict as assert } from "node:assert";
import { satpSecrets } from "../../../src/crypto/satp_options.ts";
import { Tunnel, type TunnelOptions } from "../../../mod.ts";

Deno.test("a tunnel without options opens nothing until it is started", async () => {
  const tunnel = new Tunnel();
  assert.throws(() => tunnel.device, /does not run/);
  assert.throws(() => tunnel.connections(), /does not run/);
  await tunnel.stop();
  await tunnel.finished;
  await assert.rejects(tunnel.start(), /Cannot start a tunnel twice/);
});

const REFUSED: readonly [TunnelOptions, RegExp][] = [
  [{ remote: "192.0.2.1" }, /remote '192\.0\.2\.1'.*address and a port/],
  [{ remote: "192.0.2.1:0" }, /remote '192\.0\.2\.1:0'/],
  [{ remote: "peer.example:4444" }, /remote 'peer\.example:4444'/],
  [{ port: 65536 }, /port 65536.*0 to 65535/],
  [{ port: 4.5 }, /port 4\.5/],
  [{ mux: -1 }, /mux -1/],
  [{ windowSize: -1 }, /windowSize -1/],
  [{ addresses: ["localhost"] }, /'localhost'.*IP address/],
  [{ workers: 0 }, /workers 0.*1 to 64/],
  [{ workers: 65 }, /workers 65.*1 to 64/],
  [{ workers: 1.5 }, /workers 1\.5/],
  [{ silentAfter: 0 }, /silentAfter 0.*above 0/],
  [{ silentAfter: NaN }, /silentAfter NaN/],
  [{ mss: 87 }, /mss 87.*88 to 65534/],
  [{ authTagLength: 21 }, /21/],
  [{ stateDir: "" }, /stateDir "".*path of a folder/],
  [{ stateDir: "a\0b" }, /stateDir "a\\u0000b"/],
];

for (const [options, expected] of REFUSED) {
  const name = Object.entries(options).flat().join(" ");
  Deno.test(`a tunnel refuses the option ${name} at once`, () => {
    assert.throws(() => new Tunnel(options), expected);
  });
}

Deno.test("a tunnel that cannot start says why, and has failed", async () => {
  const tunnel = new Tunnel({
    passphrase: "only an example",
    addresses: ["192.0.2.77"],
    device: { name: "a/b" },
  });
  const failures: unknown[] = [];
  tunnel.addEventListener("failed", ({ error }) => failures.push(error));
  await assert.rejects(tunnel.start());
  await assert.rejects(tunnel.finished);
  assert.equal(failures.length, 1);
});

Deno.test("a key and a salt given as bytes stay with whoever gave them", async () => {
  const key = new Uint8Array(16).fill(1);
  const salt = new Uint8Array(14).fill(2);
  const secrets = await satpSecrets({ key, salt }, "aes-ctr-128");
  secrets.key.fill(0);
  secrets.salt.fill(0);
  assert.deepEqual(key, new Uint8Array(16).fill(1));
  assert.deepEqual(salt, new Uint8Array(14).fill(2));
});
