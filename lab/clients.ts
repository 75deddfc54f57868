/** Files for a control daemon, which say of clients who they are. */
import { parsePrefix, type Prefix } from "../src/net/prefix.ts";
import { masterSecrets } from "../src/satp/secrets.ts";
import { configRecords, configText } from "../src/sync/client_config.ts";

const NOWHERE = {
  address: { family: 4, bytes: new Uint8Array(4) },
  port: 0,
} as const;

/** A client that its server does not know from the command line. */
export interface Client {
  readonly mux: number;
  readonly passphrase: string;
  /** Networks behind it, with their prefix lengths. */
  readonly networks: readonly string[];
}

/** What `anytun-config` prints about clients, one after the other. */
export async function clientsFile(
  clients: readonly Client[],
): Promise<string> {
  return (await Promise.all(clients.map(textOf))).join("");
}

async function textOf({ mux, passphrase, networks }: Client): Promise<string> {
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
