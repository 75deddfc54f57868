import assert from "node:assert/strict";
import { createSatpCodec } from "../../../mod.ts";
import { FaultFinding } from "../../../src/daemon/fault_finding.ts";
import { digestWith } from "../../../src/crypto/webcrypto.ts";
import type { KdPrfName, SatpParameters } from "../../../src/satp/params.ts";
import { type GivenSecrets, masterSecrets } from "../../../src/satp/secrets.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { ConnectionCounter, count } from "../../../src/tunnel/counters.ts";
import { SenderKind } from "../../../src/tunnel/refused_samples.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const MUX = 3;
const PASSPHRASE = "faults";
const PARAMS = {
  cipher: "aes-ctr-128",
  kdPrf: "aes-ctr-128",
  authAlgo: "sha1",
  tagLength: 10,
} as const;

function secretsWith(kdPrf: KdPrfName, given: GivenSecrets) {
  return masterSecrets(kdPrf, given, digestWith(crypto.subtle));
}

/** A left end, and what it says of datagrams that it refuses. */
async function refusing(
  params: SatpParameters = PARAMS,
  { broken = false, given = { passphrase: PASSPHRASE } as GivenSecrets } = {},
) {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const put = async (given: GivenSecrets) => {
    const secrets = await secretsWith("aes-ctr-128", given);
    table.put(MUX, { role: "left", secrets, windowSize: 0 }, 0);
    // As the daemon does: the table has a copy.
    given.salt?.fill(0);
  };
  await put(given);
  const logger = recordingLog();
  const clock = new ManualClock();
  const finding = new FaultFinding({ mux: MUX, secrets: given }, {
    ...{ params, chained: undefined, table, logger },
    secretsWith: broken
      ? () => Promise.reject(new Error("broken"))
      : secretsWith,
  }, { elapsed: clock.now, every: clock.every });
  const refuse = async (datagram: Uint8Array, looks = 5) => {
    for (let k = 0; k < looks; k++) {
      count(table.counters.of(MUX), ConnectionCounter.WRONG_TAG);
      await finding.look();
      if (table.asked(MUX) === 0) continue;
      finding.take({ mux: MUX, kind: SenderKind.STRANGER, datagram });
    }
    return logger.lines;
  };
  return { refuse, finding, table, put, logger, clock };
}

async function sealed(options: Parameters<typeof createSatpCodec>[0]) {
  const codec = await createSatpCodec({
    ...{ passphrase: PASSPHRASE, role: "right", mux: MUX },
    ...options,
  });
  const payload = new Uint8Array(40).fill(0x45);
  return await codec.seal({ seq: 5, payloadType: 0x0800, payload });
}

for (
  const [given, expected] of [
    [{ role: "left" }, /but for --role: it is left at both ends/],
    [{ kdPrf: "aes-ctr-256" }, /--kd-prf: it is aes-ctr-256 there, and .*128/],
    [{ authTagLength: 4 }, /--auth-tag-length: it is 4 there, and 10 here/],
    [{ authTagLength: 20 }, /--auth-tag-length: it is 20 there, and 10 here/],
  ] as const
) {
  Deno.test(`of a peer with ${JSON.stringify(given)} the option is found, and said once`, async () => {
    const { refuse } = await refusing();
    const [line = "", ...others] = await refuse(await sealed(given), 12);
    assert.match(line, /^WARNING: connection 3: what its peer sends is right/);
    assert.match(line, expected);
    assert.deepEqual(others, []);
  });
}

Deno.test("of a peer with other keys no option is blamed", async () => {
  const { refuse } = await refusing();
  const datagram = await sealed({ passphrase: "another" });
  assert.deepEqual(await refuse(datagram, 12), []);
});

Deno.test("another key derivation is tried with the passphrase that a HUP has brought, and a salt of its own", async () => {
  const { refuse, finding, put } = await refusing();
  const passphrase = "another";
  const salt = () => new Uint8Array(14).fill(7);
  const secrets = { passphrase, salt: salt() };
  await put(secrets);
  finding.reload({ mux: MUX, secrets });
  const given = { passphrase, salt: salt(), kdPrf: "aes-ctr-256" } as const;
  const [line = ""] = await refuse(await sealed(given), 12);
  assert.match(line, /--kd-prf: it is aes-ctr-256 there, and .*128 here/);
});

Deno.test("samples are asked for only while something is refused, and taken for no other connection", async () => {
  const { finding, table, logger } = await refusing();
  await finding.look();
  assert.equal(table.asked(MUX), 0);
  const datagram = await sealed({ role: "left" });
  finding.take({ mux: 9, kind: SenderKind.STRANGER, datagram });
  for (let k = 0; k < 5; k++) await finding.look();
  assert.deepEqual(logger.lines, []);
});

Deno.test("nothing is tried without keys or without a tag, and what fails ends nothing", async () => {
  const stop = new AbortController();
  for (const change of [{ kdPrf: "null" }, { tagLength: 0 }] as const) {
    const { finding } = await refusing({ ...PARAMS, ...change });
    await finding.run(stop.signal);
  }
  const { finding, table, logger, clock } = await refusing(PARAMS, {
    broken: true,
  });
  const running = finding.run(stop.signal);
  const datagram = await sealed({ passphrase: "another" });
  for (let k = 0; k < 6; k++) {
    count(table.counters.of(MUX), ConnectionCounter.WRONG_TAG);
    await clock.pass(1000);
    finding.take({ mux: MUX, kind: SenderKind.STRANGER, datagram });
  }
  stop.abort();
  await running;
  assert.match(logger.lines.join(), /Cannot try what is refused: broken/);
  assert.equal(table.asked(MUX), 0);
});
