/**
 * A file for `anytun-controld`: the peer of the measured tunnel among many
 * others that have nothing to say.
 *
 * @module
 */

import type { Prefix } from "../../src/net/prefix.ts";
import { parsePrefix } from "../../src/net/prefix.ts";
import { masterSecrets } from "../../src/satp/secrets.ts";
import { configRecords, configText } from "../../src/sync/client_config.ts";

/** Connections besides the measured one. */
const OTHERS = 1000;

/** Routes of each of them. */
const ROUTES = 10;

const FIRST_MUX = 1000;

const NOWHERE = {
  address: { family: 4, bytes: new Uint8Array(4) },
  port: 0,
} as const;

/** The peer that is measured. */
export interface MeasuredPeer {
  readonly mux: number;
  readonly passphrase: string;
  /** Networks behind it, with their prefix lengths. */
  readonly networks: readonly string[];
}

/** The file; the measured peer comes last, so that all is there before it. */
export async function clientsFile(peer: MeasuredPeer): Promise<string> {
  const { mux, passphrase, networks } = peer;
  const others = Array.from({ length: OTHERS }, (_, index) => {
    const networks = Array.from({ length: ROUTES }, (_, k) => {
      const number = index * ROUTES + k;
      return `10.${number >> 8}.${number & 255}.0/24`;
    });
    return client(FIRST_MUX + index, `client ${index}`, networks);
  });
  const texts = await Promise.all(others);
  return texts.join("") + await client(mux, passphrase, networks);
}

async function client(
  mux: number,
  passphrase: string,
  networks: readonly string[],
): Promise<string> {
  const digest = async (name: string, data: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.digest(name, data));
  return configText(configRecords({
    mux,
    role: "left",
    secrets: await masterSecrets("aes-ctr-128", { passphrase }, digest),
    windowSize: 1024,
    endpoint: NOWHERE,
    routes: networks.map(prefix),
  }));
}

function prefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`Cannot route to ${text}`);
  return prefix;
}
