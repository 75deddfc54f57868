import assert from "node:assert/strict";
import { formatPrefix } from "../../../src/net/prefix.ts";
import { faultOf, readAnytun, runOf } from "../../samples/command_lines.ts";

const ADDRESS = "--anycast-address";
const DEVICE = ["--anycast-device", "anycast0"];

function run(...argv: string[]) {
  const { options, warnings } = runOf(readAnytun(["-w", "64", ...argv]));
  return { ...options, warnings: warnings.join("\n") };
}

function fault(...argv: string[]): string {
  return faultOf(readAnytun(["-w", "64", ...argv]));
}

Deno.test("several anycast addresses of both families go on one device, drained for 10 seconds", () => {
  const { announce, drainTime } = run(
    ...[ADDRESS, "192.0.2.1/24", ADDRESS, "2001:db8::1/128", ...DEVICE],
  );
  assert.deepEqual(
    announce?.addresses.map(formatPrefix),
    ["192.0.2.1/24", "2001:db8::1/128"],
  );
  assert.equal(announce?.device, "anycast0");
  assert.equal(announce?.script, undefined);
  assert.equal(drainTime, 10);
  const timed = run(ADDRESS, "192.0.2.1/32", ...DEVICE, "--drain-time", "5m");
  assert.equal(timed.drainTime, 300);
});

Deno.test("a script may be told alone, without an address", () => {
  const { announce, warnings } = run("--announce-script", "/etc/announce");
  assert.deepEqual(announce, {
    addresses: [],
    device: undefined,
    script: "/etc/announce",
  });
  assert.doesNotMatch(warnings, /no effect/);
});

Deno.test("what announces nothing has no effect, and is named", () => {
  const { announce, warnings } = run(...DEVICE, "--drain-time", "10");
  assert.equal(announce, undefined);
  assert.match(warnings, /--anycast-device has no effect without/);
  assert.match(warnings, /--drain-time has no effect without/);
  const same = run("--drain-time", "10");
  assert.match(same.warnings, /--drain-time has no effect without/);
  assert.doesNotMatch(run().warnings, /--drain-time/);
});

Deno.test("an anycast address is of one host, given once, with a device of its own", () => {
  for (
    const text of [
      ...["192.0.2.1", "192.0.2.1/33", "192.0.2.1/0", "127.0.0.1/32", "a/32"],
      ...["224.0.0.1/32", "0.0.0.0/32", "169.254.1.1/32", "fe80::1/64"],
      ...["ff02::1/128", "::1/128", "::/128"],
    ]
  ) {
    const said = fault(ADDRESS, text, ...DEVICE);
    assert.match(said, /--anycast-address needs an address and a prefix/, text);
  }
  assert.match(
    fault(ADDRESS, "192.0.2.1/32"),
    /Cannot use --anycast-address without --anycast-device/,
  );
  assert.match(
    fault(ADDRESS, "192.0.2.1/32", "--anycast-device", "tun7", "-d", "tun7"),
    /'tun7': it is the tunnel's own device/,
  );
  assert.match(
    fault(ADDRESS, "192.0.2.1/32", ADDRESS, "192.0.2.1/24", ...DEVICE),
    /192\.0\.2\.1\/24 beside 192\.0\.2\.1\/32: give each address once/,
  );
  assert.match(
    fault(ADDRESS, "192.0.2.1/32", "--anycast-device", "a/b"),
    /--anycast-device needs the name of a network device/,
  );
});
