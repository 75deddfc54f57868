import assert from "node:assert/strict";
import { formatPrefix } from "../../../src/net/prefix.ts";
import { faultOf, readAnytun, runOf } from "../../samples/command_lines.ts";

const INSTALL = "--routes-install";

function read(...argv: string[]) {
  return readAnytun(["-w", "64", ...argv]);
}

function run(...argv: string[]) {
  return runOf(read(...argv));
}

Deno.test("routes are for the kernel where that is asked for, and -R then has an effect alone", () => {
  const { options, warnings } = run(INSTALL, "-R", "10.1.0.0/16");
  const { metric: none, mayHoldPeers, own } = options.kernelRoutes ?? {};
  assert.deepEqual([none, mayHoldPeers], [0, false]);
  assert.deepEqual(own?.map(formatPrefix), ["10.1.0.0/16"]);
  assert.doesNotMatch(warnings.join("\n"), /has no effect/);
  const metric = run(INSTALL, "--routes-metric", "7").options.kernelRoutes;
  assert.equal(metric?.metric, 7);
  const without = run("--routes-metric", "7", "-R", "10.1.0.0/16");
  assert.equal(without.options.kernelRoutes, undefined);
  assert.match(without.warnings.join("\n"), /--route \(-R\) has no effect/);
  assert.match(without.warnings.join("\n"), /--routes-metric has no effect/);
});

Deno.test("of others private networks are accepted, unless others are named, or none", () => {
  const accepted = (...argv: string[]) =>
    run(INSTALL, "-M", "a", ...argv).options.kernelRoutes?.accepted
      .map(formatPrefix);
  assert.deepEqual(
    accepted(),
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
  );
  const two = "192.0.2.0/24,2001:db8::/32";
  assert.deepEqual(
    accepted("--routes-accept", two, "--routes-accept", "10.0.0.0/8"),
    [...two.split(","), "10.0.0.0/8"],
  );
  assert.deepEqual(accepted("--routes-accept", "none"), []);
  const fault = faultOf(read(INSTALL, "--routes-accept", "10.0.0.0"));
  assert.match(fault, /--routes-accept needs networks and prefix/);
});

Deno.test("what is accepted has an effect on routes of others that are installed", () => {
  const option = ["--routes-accept", "10.0.0.0/8"];
  const warningsOf = (...argv: string[]) =>
    run(...option, ...argv).warnings.join("\n");
  const warning = /--routes-accept has no effect without/;
  assert.match(warningsOf("-M", "a"), /no effect without --routes-install/);
  assert.match(warningsOf(INSTALL), /no effect without --sync-hosts/);
  assert.doesNotMatch(warningsOf(INSTALL, "-M", "a"), warning);
  assert.doesNotMatch(warningsOf(INSTALL, "-X", "a"), warning);
});

Deno.test("a route that would lead the tunnel into itself needs a mark", () => {
  for (
    const [routes, ...others] of [
      ["0.0.0.0/0"],
      ["10.0.0.0/8,::/0"],
      ["0.0.0.0/1,128.0.0.0/1"],
      ["2000::/3"],
      ["192.0.2.0/24", "-r", "192.0.2.77"],
      ["2001:db8::/33", "-r", "2001:db8:7fff::1"],
    ] as const
  ) {
    const argv = [INSTALL, "-R", routes, ...others];
    assert.match(
      faultOf(read(...argv)),
      /would go into the tunnel as well: add --mark/,
    );
    const { options } = run(...argv, "--mark", "7");
    assert.equal(options.kernelRoutes?.mayHoldPeers, true);
  }
  run(INSTALL, "-R", "192.0.2.0/25", "-r", "192.0.2.128");
  run(INSTALL, "-R", "10.0.0.0/8", "-r", "2001:db8::1");
  run(INSTALL, "-R", "10.0.0.0/8,fc00::/7", "-r", "vpn.example.com");
});

Deno.test("routes to a tap device are refused", () => {
  const fault = faultOf(read(INSTALL, "--type", "tap"));
  assert.match(fault, /--routes-install with --type tap/);
});
