import { strict as assert } from "node:assert";
import { digestWith } from "../../src/crypto/webcrypto.ts";
import { parseAddress } from "../../src/net/address.ts";
import { parsePrefix } from "../../src/net/prefix.ts";
import { cipherFromName, roleFromName } from "../../src/satp/params.ts";
import { masterSecrets } from "../../src/satp/secrets.ts";
import {
  type ClientConfig,
  configRecords,
  configText,
} from "../../src/sync/client_config.ts";
import { fromHex, loadVectors, vectorText } from "./vectors.ts";

interface Capture {
  readonly id: string;
  readonly description: string;
  readonly program: string;
  readonly argv: readonly string[];
  readonly stream_file: string;
}

/**
 * Without a key, with one that does not fit, with a window or a prefix length
 * out of range: the original writes records, where the options are refused
 * here.
 */
const REFUSED = new Set([
  "config-defaults-no-key",
  "config-key-short",
  "config-window-65536",
  "config-route-hostbits",
]);

const { captures } = loadVectors<{ captures: readonly Capture[] }>(
  "sync/index.json",
);

/** What the options of a capture mean: as much of them as captures use. */
async function configFrom(argv: readonly string[]): Promise<ClientConfig> {
  const all = (option: string) =>
    argv.flatMap((text, i) => argv[i - 1] === option ? text.split(",") : []);
  const last = (option: string) => all(option).at(-1);
  const hex = (digits: string | undefined) =>
    digits === undefined ? undefined : fromHex(digits.toLowerCase());
  const kdPrf = cipherFromName(last("-k") ?? "aes-ctr") ?? "null";
  const host = (last("-r") ?? "0.0.0.0").replace("localhost", "127.0.0.1");
  const address = parseAddress(host);
  assert.ok(address);
  const secrets = await masterSecrets(kdPrf, {
    passphrase: last("-E"),
    key: hex(last("-K")),
    salt: hex(last("-A")),
  }, digestWith(crypto.subtle));
  return {
    mux: Number(last("-m") ?? 0),
    role: roleFromName(last("-e") ?? "left") ?? "left",
    secrets,
    windowSize: Number(last("-w") ?? 0),
    endpoint: { address, port: Number(last("-o") ?? 4444) },
    routes: all("-R").flatMap((text) => parsePrefix(text) ?? []),
  };
}

for (const { id, description, program, argv, stream_file } of captures) {
  if (program !== "anytun-config" || REFUSED.has(id)) continue;
  Deno.test(`a client's records are those of anytun-config in ${id}: ${description}`, async () => {
    const text = configText(configRecords(await configFrom(argv)));
    assert.equal(text, vectorText(`sync/${stream_file}`));
  });
}
