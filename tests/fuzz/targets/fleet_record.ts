// A client as a store has it, or the disk: its record, its key chain.
import { strict as assert } from "node:assert";
import { digestWith } from "../../../src/crypto/webcrypto.ts";
import {
  KEY_OPTIONS,
  keyLines,
  readRecordText,
} from "../../../src/config/fleet_record.ts";
import {
  type FleetClient,
  fleetClient,
} from "../../../src/daemon/fleet_client.ts";
import {
  formatKeptClients,
  readKeptClients,
} from "../../../src/daemon/kept_clients.ts";
import { muxOf, withLines } from "../../../src/fleet/record_text.ts";
import { keyBytes, SALT_BYTES } from "../../../src/satp/params.ts";
import { formatChainFile } from "../../../src/satp/key_chain_file.ts";
import { parseControlFile } from "../../../src/sync/control_file.ts";
import { decodeFramed } from "../../../src/sync/decode.ts";
import type { Target } from "../target.ts";

const MINUTE = 60;
const NOW = 1000 * MINUTE;
const WORLD = {
  digest: digestWith(crypto.subtle),
  now: () => 1000 * NOW,
  runtime: { deno: "2.9.6", v8: "15.0" },
};
const KEY = "0123456789abcdef".repeat(2);
const SALT = "0123456789abcdef".repeat(2).slice(0, 28);
/** What stands behind an option of a secret, if it is long enough to tell. */
const SECRETS = /(?:^|\n)[ \t]*(?:key|salt|passphrase)[ \t]+([^\s#]{12,})/g;

/** An input is a record, and behind a zero its key chain. */
export default function open(): Target {
  const chain = new TextDecoder().decode(formatChainFile({
    ...{ interval: MINUTE, epoch: 1000, key: new Uint8Array(32).fill(0xa5) },
  }));
  const clients = new Map([["a", { text: "mux 1", chain: "x", created: 3 }]]);
  const kept = [[], ["a"]].map((held) =>
    formatKeptClients({ clients, held: new Set(held) })
  );
  return {
    seeds: [
      `mux 7\nroute 10.7.0.0/16,2001:db8::/32\nkey ${KEY}\nsalt ${SALT}`,
      "mux 8\nwindow-size 1024\npassphrase asecretofmany # words\nrole right",
      `mux 9\nkd-prf aes-ctr-256\nremote-host 192.0.2.1\0${chain}`,
      "kd-prf null\nremote-host 2001:db8::1\nipv6-only",
      ...kept,
    ].map((text) => new TextEncoder().encode(text)),
    words: [
      ...["\n", "\0", "key-file ", "salt-file /etc/passwd", "remote-host "],
      ...["kd-prf null", `key ${KEY}${KEY}`, "route ", "[", '"'],
    ],
    maxBytes: 400,
    async run(input) {
      const whole = new TextDecoder().decode(input);
      const [text = "", chain] = whole.split("\0");
      await checkClient(text, chain);
      checkKept(whole);
    },
  };
}

async function checkClient(text: string, chain?: string): Promise<void> {
  const found = { text, chain, created: 1 };
  const path = "/p/clients/a";
  let client;
  try {
    client = await fleetClient("a", path, found, WORLD);
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.ok(error.message.startsWith(path), error.message);
    for (const [, secret = ""] of text.matchAll(SECRETS)) {
      // Elsewhere in the record it is something else, which may be shown.
      if (text.split(secret).length > 2) continue;
      assert.ok(!error.message.includes(secret), error.message);
    }
    return;
  }
  const { mux, connection, routes } = client;
  const texts = [connection, ...routes].join("\n");
  const records = parseControlFile(new TextEncoder().encode(texts));
  assert.equal(records.length, 1 + routes.length);
  for (const { text } of records) assert.equal(decodeFramed(text)?.mux, mux);
  assert.ok([mux, undefined].includes(muxOf(text)));
  await checkOtherKeys(text, client);
}

/** A client that gets other keys has those, and all else as it was. */
async function checkOtherKeys(text: string, before: FleetClient) {
  const { kdPrf } = readRecordText("a", text);
  if (kdPrf === "null") return;
  const key = new Uint8Array(keyBytes(kdPrf)).fill(0xa5);
  const secrets = { key, salt: new Uint8Array(SALT_BYTES).fill(0x5a) };
  const found = {
    ...{ chain: undefined, created: 1 },
    text: withLines(text, KEY_OPTIONS, keyLines(secrets)),
  };
  const after = await fleetClient("a", "a", found, WORLD);
  assert.deepEqual([after.mux, after.routes], [before.mux, before.routes]);
  const record = decodeFramed(after.connection);
  assert.ok(record?.command === "connection");
  assert.deepEqual(record.secrets, secrets);
}

function checkKept(file: string): void {
  let kept;
  try {
    kept = readKeptClients(file);
  } catch (error) {
    assert.match(
      String(error),
      /^Error: (line \d+: it is |it has \d+ clients)/,
    );
    return;
  }
  for (const name of kept.held) assert.ok(kept.clients.has(name));
  assert.deepEqual(readKeptClients(formatKeptClients(kept)), kept);
}
