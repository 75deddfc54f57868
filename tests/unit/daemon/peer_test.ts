import assert from "node:assert/strict";
import { Peer, type PeerOptions } from "../../../src/daemon/peer.ts";
import { parseAddress } from "../../../src/net/address.ts";
import { formatEndpoint } from "../../../src/net/endpoint.ts";
import { Resolver } from "../../../src/net/resolver.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import { readEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { starting } from "../../fakes/services.ts";

const MUX = 3;
const NEVER = new AbortController().signal;

/** A peer whose name stands for what the test says. */
function setUp(options: Partial<PeerOptions>) {
  const logger = recordingLog();
  const names = new Map<string, string>();
  const resolver = new Resolver(
    (host) => {
      const address = parseAddress(names.get(host) ?? "");
      return address === undefined
        ? Promise.reject(new Error("ENOTFOUND"))
        : Promise.resolve([address]);
    },
    (_ms, signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
    logger,
  );
  const told: number[] = [];
  const prepared: number[] = [];
  const secrets = {
    key: new Uint8Array(16).fill(1),
    salt: new Uint8Array(14).fill(2),
  };
  const table = new ConnectionTable(ConnectionTable.allocate());
  const peer = new Peer({
    mux: MUX,
    role: "left",
    windowSize: 0,
    chroot: undefined,
    remoteHost: "peer.test",
    remotePort: 4444,
    family: "any",
    ...options,
  }, {
    resolver,
    interfaceIndex: (name) => name === "eth0" ? 2 : undefined,
    table,
    secrets: () => secrets,
    prepare: (mux) => Promise.resolve(void prepared.push(mux)),
    moved: (mux) => told.push(mux),
    logger,
  });
  const endpoint = () => {
    const words = endpointWords();
    table.copyEndpoint(MUX, words, 0);
    const found = readEndpoint(words, 0);
    return found && formatEndpoint(found);
  };
  return { peer, names, table, told, prepared, logger, secrets, endpoint };
}

Deno.test("a connection without a peer's name waits for its endpoint", async () => {
  const { peer, table, prepared, endpoint } = setUp({
    remoteHost: undefined,
  });
  await peer.run(NEVER);
  assert.ok(table.exists(MUX));
  assert.deepEqual(prepared, [MUX]);
  assert.equal(endpoint(), undefined);
});

Deno.test("run() wipes the secrets, of which the table has a copy", async () => {
  const { peer, table, secrets } = setUp({ remoteHost: "192.0.2.1" });
  await peer.run(NEVER);
  assert.ok(secrets.key.every((byte) => byte === 0));
  assert.ok(secrets.salt.every((byte) => byte === 0));
  const { key, salt } = table.keys(MUX).secrets;
  assert.ok(key.every((byte) => byte === 1));
  assert.ok(salt.every((byte) => byte === 2));
});

Deno.test("there is no connection before the name is resolved", async () => {
  const { peer, table, logger } = setUp({});
  const stop = new AbortController();
  const connected = peer.run(stop.signal);
  await Promise.resolve();
  assert.ok(!table.exists(MUX));
  stop.abort();
  await connected;
  assert.ok(!table.exists(MUX), "and none after the end");
  assert.doesNotMatch(logger.lines.join(), /added connection/);
});

Deno.test("start() resolves ahead, so that run() need not", async () => {
  const { peer, names, endpoint } = setUp({ chroot: "/jail" });
  names.set("peer.test", "192.0.2.1");
  const waits: string[] = [];
  await peer.start(starting((what) => waits.push(what)));
  assert.deepEqual(waits, ["an address of 'peer.test' (--remote-host)"]);
  names.clear();
  await peer.run(NEVER);
  assert.equal(endpoint(), "192.0.2.1:4444");
});

Deno.test("start() outside of a jail asks for nothing", async () => {
  const { peer, logger } = setUp({});
  await peer.start(starting(() => assert.fail("nothing is waited for")));
  assert.deepEqual(logger.lines, []);
});

Deno.test("start() says where a name is looked for next", async () => {
  const { peer, logger } = setUp({ chroot: "/jail" });
  await peer.start(starting());
  assert.deepEqual(logger.lines, [
    "WARNING: Cannot resolve 'peer.test': ENOTFOUND (--remote-host): trying " +
    "again inside the jail, with its etc/resolv.conf and etc/hosts",
  ]);
});

Deno.test("reload() follows a name to its new address", async () => {
  const { peer, names, endpoint, logger } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.run(NEVER);
  names.set("peer.test", "192.0.2.2");
  await peer.reload();
  assert.equal(endpoint(), "192.0.2.2:4444");
  assert.match(
    logger.lines.join(),
    /NOTICE: remote host peer\.test is now 192\.0\.2\.2:4444/,
  );
});

Deno.test("reload() does not call back a peer that moved on its own", async () => {
  const { peer, names, endpoint, table } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.run(NEVER);
  table.setEndpoint(MUX, endpointWords(), 0);
  await peer.reload();
  assert.equal(endpoint(), undefined);
});

Deno.test("reload() keeps what it has when a name is gone", async () => {
  const { peer, names, endpoint, logger } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.run(NEVER);
  names.clear();
  await peer.reload();
  assert.equal(endpoint(), "192.0.2.1:4444");
  assert.match(
    logger.lines.at(-1) ?? "",
    /^ERROR: Cannot resolve 'peer\.test': ENOTFOUND .*: keeping the old address$/,
  );
});

Deno.test("a scoped address is used by the number of its interface", async () => {
  const { peer, endpoint } = setUp({ remoteHost: "fe80::1%eth0" });
  await peer.run(NEVER);
  assert.equal(endpoint(), "[fe80::1%2]:4444");
  const lost = setUp({ remoteHost: "fe80::1%eth9" });
  await assert.rejects(lost.peer.run(NEVER), {
    message:
      "Cannot use the address fe80::1%eth9: there is no interface 'eth9'",
  });
});
