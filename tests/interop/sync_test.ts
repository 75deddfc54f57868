import assert from "node:assert/strict";
import { parsePrefix } from "../../src/net/prefix.ts";
import { configRecords, configText } from "../../src/sync/client_config.ts";
import { parseControlFile } from "../../src/sync/control_file.ts";
import { encodeRecord } from "../../src/sync/encode.ts";
import type { SyncRecord } from "../../src/sync/record.ts";
import { tableText } from "../../src/sync/showtables.ts";
import type { LabHost } from "../../lab/host.ts";
import type { Lab } from "../../lab/lab.ts";
import { missingCommand } from "../../lab/missing.ts";
import { type LabProcess, outcomeOf } from "../../lab/process.ts";
import { labTest } from "../../lab/test_case.ts";
import { anytun, type PeerSettings, uanytun } from "../../lab/peers.ts";
import { connectionRecord, routeRecord } from "../samples/sync_records.ts";
import { passphrase, PORT, speakingRight, waitingLeft } from "./settings.ts";
import { testUnless } from "../../lab/test_unless.ts";

const SYNC_PORT = 2323;

/** The log line of a client that is connected. */
const CONNECTED = /sync: connected to/;

/** What a member has learnt; no route that would hang the original. */
const ETHERNET: SyncRecord = {
  command: "route",
  network: { family: "ethernet", value: 2199023255552n },
  prefixLength: 48,
  mux: 5,
};
const LEARNT: readonly SyncRecord[] = [
  connectionRecord({ mux: 5, seq: 7, host: "192.0.2.77", port: 4001 }),
  connectionRecord({ mux: 300, role: "right", host: "0.0.0.0", port: 0 }),
  connectionRecord({ mux: 65535, host: "2001:db8::77", seq: 0xffffffff }),
  routeRecord("0.0.0.0/0", 5),
  routeRecord("10.0.0.0/8", 300),
  routeRecord("10.1.2.3/16", 5),
  routeRecord("2001:db8:1::/48", 300),
  ETHERNET,
];

function texts(records: readonly SyncRecord[]): string[] {
  return records.map((record) => encodeRecord(record));
}

/** A cluster member that knows only what a control host tells it. */
function memberOf(controlHost: string): PeerSettings {
  const sync = ["-X", `${controlHost}:${SYNC_PORT}`, "-S", String(SYNC_PORT)];
  return {
    role: "left",
    type: "tun",
    addresses: [],
    port: PORT,
    options: sync,
  };
}

async function serve(host: LabHost): Promise<LabProcess> {
  const server = host.script("sync.ts", "serve", host.ipv4, `${SYNC_PORT}`);
  await server.line(/sync server listening/);
  return server;
}

/** Sends records, and waits until they are on their way. */
async function send(
  server: LabProcess,
  ...records: readonly SyncRecord[]
): Promise<void> {
  const before = server.lines.length;
  await server.tell(texts(records).join(""));
  await server.line(/^sent$/, 10, before);
}

function follow(host: LabHost, server: LabHost): LabProcess {
  return host.script("sync.ts", "follow", server.ipv4, `${SYNC_PORT}`);
}

/** The records among the lines of a client. */
function recordsOf({ lines }: LabProcess): string[] {
  return lines.filter((line) => /^\d{5} /.test(line));
}

/**
 * What the member on the right host knows once it knows this record. It does
 * not pass on what it learns, so that only another new client sees more.
 */
async function knownWith(lab: Lab, last: SyncRecord): Promise<string[]> {
  const text = encodeRecord(last);
  for (let attempt = 1;; attempt++) {
    const client = follow(lab.left, lab.right);
    try {
      // How long a program takes to start says nothing.
      await client.line(CONNECTED);
      await client.line(exactly(text), 3);
      return recordsOf(client);
    } catch (error) {
      if (attempt === 5) throw error;
    } finally {
      await client.stop();
    }
  }
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.[\]]/g, "\\$&")}$`);
}

async function startMember(lab: Lab): Promise<LabProcess> {
  const member = await anytun.start(lab.right, memberOf(lab.left.ipv4));
  await member.line(CONNECTED);
  return member;
}

labTest(
  "anytun learns what our server says, and our client learns it from anytun",
  "s0",
  [anytun.missing()],
  async (lab) => {
    const server = await serve(lab.left);
    await send(server, ...LEARNT);
    await startMember(lab);
    assert.deepEqual(await knownWith(lab, ETHERNET), texts(LEARNT));
  },
);

labTest(
  "anytun follows what our server sends later",
  "s1",
  [anytun.missing()],
  async (lab) => {
    const server = await serve(lab.left);
    await startMember(lab);
    await server.line(/new sync client connected/);
    await send(server, connectionRecord({ seq: 3 }));
    const moved = connectionRecord({ seq: 9, host: "192.0.2.78" });
    const route = routeRecord("10.0.0.0/8", 5);
    await send(server, moved, route);
    assert.deepEqual(await knownWith(lab, route), texts([moved, route]));
  },
);

labTest(
  "our client learns a peer that anytun detects, and follows it",
  "s2",
  [anytun.missing(), uanytun.missing()],
  async (lab) => {
    const sync = ["-S", String(SYNC_PORT)];
    const options = [...passphrase, ...sync];
    await anytun.start(lab.left, { ...waitingLeft, options });
    const client = follow(lab.right, lab.left);
    await client.line(CONNECTED);
    for (const port of [PORT, PORT + 1]) {
      const peer = await uanytun.start(lab.right, {
        ...speakingRight(lab),
        port,
      });
      await lab.right.ping("10.99.0.1");
      await client.line(
        new RegExp(` 10 connection 0 0 0 .* 9 192\\.0\\.2\\.2 ${port}$`),
      );
      await peer.stop();
    }
  },
);

/** Has anytun-controld serve a file twice, and our client follow it. */
async function followControld(lab: Lab, content: string): Promise<void> {
  const records = parseControlFile(new TextEncoder().encode(content))
    .map(({ text }) => text);
  assert.deepEqual(records, content.trim().split("\n"));
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, content);
    const client = follow(lab.left, lab.right);
    for (let times = 1; times <= 2; times++) {
      const seen = client.lines.length;
      const controld = lab.right.spawn(
        "anytun-controld",
        ...["-D", "-L", "stdout:3", "-f", file],
        ...["-X", `${lab.right.ipv4}:${SYNC_PORT}`],
      );
      await client.line(CONNECTED, 20, seen);
      await client.line(exactly(records.at(-1) ?? ""), 10, seen);
      await controld.stop();
      await client.line(/lost \(input stream error\) retrying/, 10, seen);
    }
    assert.deepEqual(recordsOf(client), [...records, ...records]);
  } finally {
    await Deno.remove(file);
  }
}

labTest(
  "our client learns what anytun-config and anytun-controld say, again and again",
  "s3",
  ["anytun-config", "anytun-controld"].map(missingCommand),
  async (lab) => {
    const config = await lab.right.exec(
      "anytun-config",
      ...["-k", "aes-ctr-256", "-E", "secret", "-m", "9", "-w", "64"],
      ...["-R", "10.0.0.0/8,fd00::/8", "-r", "192.0.2.77"],
    );
    await followControld(lab, config);
  },
);

labTest(
  "anytun-controld serves what our configuration tool writes",
  "s4",
  [missingCommand("anytun-controld")],
  async (lab) => {
    const { command: _, seq: __, ...connection } = connectionRecord();
    const routes = ["10.0.0.0/8", "fd00:1::/33"].flatMap((text) =>
      parsePrefix(text) ?? []
    );
    await followControld(
      lab,
      configText(configRecords({ ...connection, routes })),
    );
  },
);

const noShowtables = missingCommand("anytun-showtables");
testUnless(
  [noShowtables],
  "anytun-showtables shows our records as our table does",
  async () => {
    const input = texts(LEARNT).join("");
    const { stdout } = await outcomeOf(["anytun-showtables"], { input });
    const lines = stdout.trimEnd().split("\n")
      // A fault at the end of its input (sync section 8).
      .filter((line) => !line.startsWith("uncaught exception"));
    assert.deepEqual(lines, LEARNT.map(tableText));
  },
);
