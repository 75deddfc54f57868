import assert from "node:assert/strict";
import { parseAddress } from "../../../src/net/address.ts";
import { formatEndpoint } from "../../../src/net/endpoint.ts";
import { type Lookup, Resolver } from "../../../src/net/resolver.ts";
import { systemLookup } from "../../../src/net/system_lookup.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

function addresses(...texts: string[]): ReturnType<Lookup> {
  return Promise.resolve(texts.flatMap((text) => parseAddress(text) ?? []));
}

const neverCalled = (): Promise<never> => assert.fail("must not be called");

Deno.test("Resolver gives every address in the order of the system", async () => {
  const asked: unknown[] = [];
  const lookup: Lookup = (...request) => {
    asked.push(request);
    return addresses("2001:db8::1", "192.0.2.1");
  };
  const resolver = new Resolver(lookup, neverCalled, recordingLog());
  const found = await resolver.resolve({ host: "vpn", port: 7, family: "4" });
  assert.deepEqual(asked, [["vpn", "4"]]);
  assert.deepEqual(found.map(formatEndpoint), [
    "[2001:db8::1]:7",
    "192.0.2.1:7",
  ]);
});

Deno.test("Resolver does not ask anybody about an address", async () => {
  const resolver = new Resolver(neverCalled, neverCalled, recordingLog());
  const [first] = await resolver.resolve({
    host: "::1",
    port: 4444,
    family: "6",
  });
  assert.equal(formatEndpoint(first), "[::1]:4444");
});

Deno.test("Resolver takes an IPv4-mapped address for one of IPv4", async () => {
  const resolver = new Resolver(neverCalled, neverCalled, recordingLog());
  const request = { host: "::ffff:192.0.2.1", port: 7 };
  const [first] = await resolver.resolveOnce({ ...request, family: "4" });
  assert.equal(formatEndpoint(first), "192.0.2.1:7");
  await assert.rejects(resolver.resolveOnce({ ...request, family: "6" }), {
    message: "it is an IPv4 address, not IPv6",
  });
});

Deno.test("Resolver tries again every 10 seconds and says so", async () => {
  const answers: Array<() => ReturnType<Lookup>> = [
    () => Promise.reject(new Error("ENOTFOUND")),
    () => addresses(),
    () => addresses("192.0.2.1"),
  ];
  const waits: number[] = [];
  const log = recordingLog();
  const resolver = new Resolver(
    () => answers.shift()?.() ?? neverCalled(),
    (ms) => Promise.resolve(waits.push(ms)),
    log,
  );
  await resolver.resolve({ host: "vpn", port: 4444, family: "any" });
  assert.deepEqual(waits, [10_000, 10_000]);
  assert.deepEqual(log.lines, [
    "DEBUG: trying to resolv UDP: 'vpn' '4444'",
    "ERROR: Error while resolving 'vpn' '4444', retrying in 10 sec.",
    "INFO: resolving 'vpn' failed: ENOTFOUND",
    "DEBUG: trying to resolv UDP: 'vpn' '4444'",
    "ERROR: Error while resolving 'vpn' '4444', retrying in 10 sec.",
    "INFO: resolving 'vpn' failed: the name has no address",
    "DEBUG: trying to resolv UDP: 'vpn' '4444'",
  ]);
});

Deno.test("Resolver takes an address of the wrong family for a failure", async () => {
  const stop = new AbortController();
  const log = recordingLog();
  const resolver = new Resolver(
    neverCalled,
    () => Promise.resolve(stop.abort(new Error("enough"))),
    log,
  );
  await assert.rejects(
    resolver.resolve({
      host: "::1",
      port: 1,
      family: "4",
      signal: stop.signal,
    }),
    /enough/,
  );
  assert.match(log.lines.join("\n"), /IPv6 address, not IPv4/);
});

Deno.test("Resolver stops waiting for an answer when it is aborted", async () => {
  const stop = new AbortController();
  const log = recordingLog();
  const resolver = new Resolver(
    () => {
      queueMicrotask(() => stop.abort(new Error("enough")));
      return new Promise(() => {});
    },
    neverCalled,
    log,
  );
  await assert.rejects(
    resolver.resolve({
      host: "vpn",
      port: 1,
      family: "any",
      signal: stop.signal,
    }),
    /enough/,
  );
  assert.equal(log.lines.length, 1, "an abort is no resolution error");
});

Deno.test("Resolver hands its signal to the delay", async () => {
  const stop = new AbortController();
  const resolver = new Resolver(
    () => addresses(),
    (_, signal) => {
      assert.equal(signal, stop.signal);
      return Promise.reject(new Error("delay ended"));
    },
    recordingLog(),
  );
  await assert.rejects(
    resolver.resolve({
      host: "vpn",
      port: 1,
      family: "any",
      signal: stop.signal,
    }),
    /delay ended/,
  );
});

Deno.test("Resolver does nothing if it is aborted already", async () => {
  const resolver = new Resolver(neverCalled, neverCalled, recordingLog());
  const signal = AbortSignal.abort(new Error("too late"));
  await assert.rejects(
    resolver.resolve({ host: "vpn", port: 1, family: "any", signal }),
    /too late/,
  );
});

Deno.test("systemLookup() knows the loopback addresses of the hosts file", {
  permissions: { net: true },
}, async () => {
  const [first] = await systemLookup("localhost", "4");
  assert.deepEqual(first, { family: 4, bytes: Uint8Array.of(127, 0, 0, 1) });
});
