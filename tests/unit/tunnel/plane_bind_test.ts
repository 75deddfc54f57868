import assert from "node:assert/strict";
import { openLibc } from "../../../ffi/libc.ts";
import { type IpAddress, parseAddress } from "../../../src/net/address.ts";
import { formatEndpoint } from "../../../src/net/endpoint.ts";
import { BindError } from "../../../src/tunnel/bind_error.ts";
import { choosePlane } from "../../../src/tunnel/choose_plane.ts";
import type { PlaneBuilder } from "../../../src/tunnel/plane.ts";
import { bindUdp } from "../../../src/tunnel/portable/deno_udp.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { tunnelSettings } from "../../fakes/tunnel_settings.ts";

/** An engine of each kind of plane. */
const ENGINES = { native: "builtin", portable: "webcrypto" } as const;

function bindTest(
  name: string,
  body: (newBuilder: () => Promise<PlaneBuilder>) => Promise<void>,
): void {
  for (const kind of ["native", "portable"] as const) {
    Deno.test(`${kind}: ${name}`, async () => {
      const libc = openLibc();
      const engine = ENGINES[kind];
      await body(async () => {
        const builder = await choosePlane(
          tunnelSettings({ engine }),
          libc,
          { now: () => 0, processors: 1 },
          recordingLog(),
        );
        assert.ok(builder.description.startsWith(kind));
        return builder;
      });
      libc.close();
    });
  }
}

function addresses(...texts: string[]): IpAddress[] {
  return texts.map((text) => {
    const address = parseAddress(text);
    assert.ok(address);
    return address;
  });
}

Deno.test("the portable plane refuses choices about sockets that it cannot make", async () => {
  const libc = openLibc();
  for (
    const [sockets, option] of [
      [{ mark: 7, device: undefined }, "--mark"],
      [{ mark: 0, device: "eth0" }, "--bind-device"],
    ] as const
  ) {
    await assert.rejects(
      choosePlane(
        tunnelSettings({ engine: "webcrypto", sockets }),
        libc,
        { now: () => 0, processors: 1 },
        recordingLog(),
      ),
      new RegExp(`Cannot use ${option} on the portable data plane`),
    );
  }
  libc.close();
});

bindTest("port 0 stands for one free port, and is told", async (newBuilder) => {
  using builder = await newBuilder();
  const bound = builder.bind(addresses("127.0.0.1", "127.0.0.2"), 0);
  const [first, second] = bound.map(formatEndpoint);
  const port = bound[0]?.port ?? 0;
  assert.ok(port > 0);
  assert.equal(first, `127.0.0.1:${port}`);
  assert.equal(second, `127.0.0.2:${port}`);
});

bindTest(
  "all addresses are bound to the same free port",
  async (newBuilder) => {
    using builder = await newBuilder();
    const bound = builder.bindToAll("any", 0);
    const port = bound[0]?.port ?? 0;
    assert.ok(port > 0);
    const both = [`0.0.0.0:${port}`, `[::]:${port}`];
    // A host without IPv6 has but the first.
    assert.deepEqual(bound.map(formatEndpoint), both.slice(0, bound.length));
  },
);

bindTest("a port in use is said once, in words", async (newBuilder) => {
  using first = await newBuilder();
  using second = await newBuilder();
  const [{ port } = { port: 0 }] = first.bind(addresses("127.0.0.1"), 0);
  assert.throws(() => second.bind(addresses("127.0.0.1"), port), (error) => {
    assert.ok(error instanceof BindError);
    const reason = "Address already in use by another program";
    assert.equal(error.reason, reason);
    assert.equal(
      error.message,
      `Cannot listen on 127.0.0.1:${port}: ${reason}`,
    );
    return true;
  });
  assert.throws(
    () => second.bindToAll("any", port),
    { name: "BindError", reason: "Address already in use by another program" },
  );
});

bindTest(
  "an IPv4-mapped address is bound as one of IPv4",
  async (newBuilder) => {
    using builder = await newBuilder();
    const bound = builder.bind(addresses("::ffff:127.0.0.1"), 0);
    const [{ port } = { port: 0 }] = bound;
    assert.deepEqual(bound.map(formatEndpoint), [`127.0.0.1:${port}`]);
  },
);

bindTest(
  "an address of another host is said once, in words",
  async (newBuilder) => {
    using builder = await newBuilder();
    assert.throws(() => builder.bind(addresses("192.0.2.99"), 4444), {
      name: "BindError",
      message: "Cannot listen on 192.0.2.99:4444: " +
        "no interface of this host has this address",
    });
  },
);

Deno.test("portable: a runtime without datagram sockets says which flag it lacks", () => {
  const { listenDatagram } = Deno;
  try {
    Object.assign(Deno, { listenDatagram: undefined });
    assert.throws(
      () => bindUdp(addresses("127.0.0.1"), 0),
      /127\.0\.0\.1:0: the portable data plane needs --unstable-net, and the native one --allow-read/,
    );
  } finally {
    Object.assign(Deno, { listenDatagram });
  }
});
