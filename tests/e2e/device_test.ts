import assert from "node:assert/strict";
import { waitingLeft } from "../interop/settings.ts";
import { labTest } from "../../lab/test_case.ts";
import {
  DEVICE,
  oursFromSource,
  oursNative,
  oursOnWebCrypto,
  oursWithOneWorker,
} from "../../lab/peers.ts";

/** What `ip -j addr show` says of a device, as far as it matters here. */
interface DeviceState {
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly addr_info: readonly {
    readonly local: string;
    readonly prefixlen: number;
    readonly scope: string;
  }[];
}

labTest(
  "the device gets every address of -n and the MTU of --mtu, and is up",
  "i-d",
  [oursFromSource.missing()],
  async ({ left }) => {
    const addresses = ["10.99.0.1/24", "10.98.7.6/32", "fd00:99::1/64"];
    const options = [...waitingLeft.options, "--mtu", "1300"];
    await oursFromSource.start(left, { ...waitingLeft, addresses, options });

    const shown = await left.ip("-j", "addr", "show", "dev", DEVICE);
    const [device]: DeviceState[] = JSON.parse(shown);
    assert.ok(device);
    assert.equal(device.mtu, 1300);
    assert.ok(device.flags.includes("UP"));
    const given = device.addr_info
      .filter(({ scope }) => scope === "global")
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
    assert.deepEqual(given.sort(), addresses.sort());
  },
);

const programs = [
  oursNative,
  oursWithOneWorker,
  oursFromSource,
  oursOnWebCrypto,
];

for (const [index, program] of programs.entries()) {
  labTest(
    `${program.name} ends with a status and a word when its device vanishes`,
    `i-d${index}`,
    [program.missing()],
    async ({ left }) => {
      const daemon = await program.start(left, waitingLeft);
      await left.ip("link", "delete", DEVICE);

      await daemon.line(/ERROR: .*device/);
      const { code } = await daemon.ended;
      assert.equal(code, 255);
    },
  );
}
