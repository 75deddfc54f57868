import assert from "node:assert/strict";
import { positive } from "../options.ts";
import { parseOptions } from "./options.ts";

const parse = (...argv: string[]) =>
  parseOptions(argv, ["source", "anytun"], ["tcp", "udp"]);

Deno.test("without options the run is complete", () => {
  const { rounds, seconds, only, scenarios, complete } = parse();
  assert.deepEqual({ rounds, seconds, only, scenarios, complete }, {
    rounds: 5,
    seconds: 2,
    only: undefined,
    scenarios: undefined,
    complete: true,
  });
});

Deno.test("--quick is one short round, and options after it still count", () => {
  const { rounds, seconds } = parse("--quick");
  assert.deepEqual([rounds, seconds], [1, 1]);
  assert.equal(parse("--quick", "--seconds", "2").seconds, 2);
});

Deno.test("results of a partial run do not pass for complete ones", () => {
  for (
    const argv of [
      ["--quick"],
      ["--rounds", "4"],
      ["--seconds", "1"],
      ["--only", "anytun"],
      ["--scenario", "tcp"],
    ]
  ) {
    assert.equal(parse(...argv).complete, false, argv.join(" "));
  }
  assert.equal(parse("--rounds", "6", "--peers", "x").complete, true);
});

Deno.test("lists are split at commas", () => {
  assert.deepEqual(parse("--only", "source,anytun").only, ["source", "anytun"]);
  assert.deepEqual(parse("--scenario", "udp").scenarios, ["udp"]);
});

Deno.test("a wrong value is refused with its option and what would be right", () => {
  for (const value of ["0", "-1", "3.5", "x", "10000"]) {
    assert.throws(
      () => parse(`--rounds=${value}`),
      new RegExp(`--rounds: current value is ${value}, .* 1 to 9999`),
    );
  }
  assert.throws(
    () => parse("--only", "anytun,openvpn"),
    /--only: current value is openvpn, expected some of source,anytun/,
  );
  assert.throws(() => parse("--scenario", ""), /--scenario/);
});

Deno.test("--peers names a folder, and without it peers are on the PATH", () => {
  assert.equal(parse("--peers", "/opt/peers").peers, "/opt/peers");
  assert.equal(parse().peers, undefined);
});

Deno.test("an unknown option is refused", () => {
  assert.throws(() => parse("--round", "3"), /--round/);
});

Deno.test("positive() takes as much as there is room for, and no more", () => {
  assert.equal(positive("connections", "65535", 65_535), 65_535);
  assert.throws(
    () => positive("connections", "65536", 65_535),
    /--connections: current value is 65536, .* from 1 to 65535/,
  );
});
