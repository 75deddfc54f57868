import assert from "node:assert/strict";
import { Peer, type PeerOptions } from "../../src/daemon/peer.ts";
import { parseAddress } from "../../src/net/address.ts";
import { formatEndpoint } from "../../src/net/endpoint.ts";
import { Resolver } from "../../src/net/resolver.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../src/tunnel/connection_table.ts";
import { readEndpoint } from "../../src/tunnel/endpoint_words.ts";
import { recordingLog } from "../fakes/recording_log.ts";

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
  const table = new ConnectionTable(ConnectionTable.allocate());
  const peer = new Peer({
    mux: MUX,
    role: "left",
    windowSize: 0,
    remoteHost: "peer.test",
    remotePort: 4444,
    family: "any",
    ...options,
  }, {
    resolver,
    interfaceIndex: (name) => name === "eth0" ? 2 : undefined,
    table,
    moved: (mux) => told.push(mux),
    logger,
  });
  const secrets = {
    key: new Uint8Array(16).fill(1),
    salt: new Uint8Array(14).fill(2),
  };
  const endpoint = () => {
    const words = endpointWords();
    table.copyEndpoint(MUX, words, 0);
    const found = readEndpoint(words, 0);
    return found && formatEndpoint(found);
  };
  return { peer, names, table, told, logger, secrets, endpoint };
}

Deno.test("a connection without a peer's name waits for its endpoint", async () => {
  const { peer, table, secrets, endpoint } = setUp({ remoteHost: undefined });
  await peer.connect(secrets, NEVER);
  assert.ok(table.exists(MUX));
  assert.equal(endpoint(), undefined);
});

Deno.test("connect() wipes the secrets, of which the table has a copy", async () => {
  const { peer, table, secrets } = setUp({ remoteHost: "192.0.2.1" });
  await peer.connect(secrets, NEVER);
  assert.ok(secrets.key.every((byte) => byte === 0));
  assert.ok(secrets.salt.every((byte) => byte === 0));
  const { key, salt } = table.keys(MUX).secrets;
  assert.ok(key.every((byte) => byte === 1));
  assert.ok(salt.every((byte) => byte === 2));
});

Deno.test("there is no connection before the name is resolved", async () => {
  const { peer, table, secrets, logger } = setUp({});
  const stop = new AbortController();
  const connected = peer.connect(secrets, stop.signal);
  await Promise.resolve();
  assert.ok(!table.exists(MUX));
  stop.abort();
  await connected;
  assert.ok(!table.exists(MUX), "and none after the end");
  assert.doesNotMatch(logger.lines.join(), /added connection/);
});

Deno.test("look() resolves ahead, so that connect() need not", async () => {
  const { peer, names, secrets, endpoint } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.look();
  names.clear();
  await peer.connect(secrets, NEVER);
  assert.equal(endpoint(), "192.0.2.1:4444");
});

Deno.test("look() says where a name is looked for next", async () => {
  const { peer, logger } = setUp({});
  await peer.look();
  assert.deepEqual(logger.lines, [
    "WARNING: Cannot resolve 'peer.test': ENOTFOUND (--remote-host): trying " +
    "again inside of the jail, with its etc/resolv.conf and etc/hosts",
  ]);
});

Deno.test("lookAgain() follows a name to its new address", async () => {
  const { peer, names, secrets, endpoint, logger } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.connect(secrets, NEVER);
  names.set("peer.test", "192.0.2.2");
  await peer.lookAgain();
  assert.equal(endpoint(), "192.0.2.2:4444");
  assert.match(
    logger.lines.join(),
    /NOTICE: remote host peer\.test is now 192\.0\.2\.2:4444/,
  );
});

Deno.test("lookAgain() does not call back a peer that moved on its own", async () => {
  const { peer, names, secrets, endpoint, table } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.connect(secrets, NEVER);
  table.setEndpoint(MUX, endpointWords(), 0);
  await peer.lookAgain();
  assert.equal(endpoint(), undefined);
});

Deno.test("lookAgain() keeps what it has when a name is gone", async () => {
  const { peer, names, secrets, endpoint, logger } = setUp({});
  names.set("peer.test", "192.0.2.1");
  await peer.connect(secrets, NEVER);
  names.clear();
  await peer.lookAgain();
  assert.equal(endpoint(), "192.0.2.1:4444");
  assert.match(
    logger.lines.at(-1) ?? "",
    /^ERROR: Cannot resolve 'peer\.test': ENOTFOUND .*: it stays as it was$/,
  );
});

Deno.test("a scoped address is used by the number of its interface", async () => {
  const { peer, secrets, endpoint } = setUp({ remoteHost: "fe80::1%eth0" });
  await peer.connect(secrets, NEVER);
  assert.equal(endpoint(), "[fe80::1%2]:4444");
  const lost = setUp({ remoteHost: "fe80::1%eth9" });
  await assert.rejects(lost.peer.connect(lost.secrets, NEVER), {
    message:
      "Cannot use the address fe80::1%eth9: there is no interface 'eth9'",
  });
});
