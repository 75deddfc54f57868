// Other keys for a client of a fleet.
//
// Servers that are told a key seal with it at once, and open with the one before
// for ten seconds more; a client that gets one by HUP opens with both, and seals
// with the new one once it has heard it (src/daemon/own_keys.ts). So nothing is
// lost where the client's side changes first, and the store behind it.
import type { RotateOptions } from "../config/fleet.ts";
import type { NewKeys } from "../config/fleet_keys.ts";
import {
  kdPrfWithKeys,
  KEY_OPTIONS,
  keyLines,
  readRecordText,
} from "../config/fleet_record.ts";
import { newKeysYaml } from "../config/fleet_yaml.ts";
import { forwardChain, newChain } from "../daemon/chain_text.ts";
import type { Replacement } from "../fleet/clients.ts";
import { withLines } from "../fleet/record_text.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import { ClientFiles } from "./client_files.ts";
import type { FleetHost } from "./fleet_host.ts";
import { givenSecrets, madeSecrets } from "../daemon/new_secrets.ts";

export async function rotateClient(
  options: RotateOptions,
  { clients, libc, tell }: FleetHost,
): Promise<void> {
  const { name, keys, kdPrf } = options;
  const given = keys?.kind === "given"
    ? await givenSecrets(keys.secrets, kdPrf)
    : undefined;
  const files = new ClientFiles(options, libc, Deno.stdout);
  const rotation = new Rotation(options, given, files);
  await files.forChange(() =>
    clients.replace(name, (client) => rotation.of(client))
  );
  tell(`'${name}': ${rotation.told}`);
}

/** What it comes to depends on what keys the client has. */
class Rotation {
  readonly #options: RotateOptions;
  readonly #given: MasterSecrets | undefined;
  readonly #files: ClientFiles;
  /** What its side has to do. */
  told = "";

  constructor(
    options: RotateOptions,
    given: MasterSecrets | undefined,
    files: ClientFiles,
  ) {
    this.#options = options;
    this.#given = given;
    this.#files = files;
  }

  of(client: Replacement): Replacement {
    const { name, keys } = this.#options;
    const values = readRecordText(name, client.text);
    const kdPrf = kdPrfWithKeys(values);
    if (keys === undefined && client.chain !== undefined) {
      return this.#forgetPast(client, client.chain);
    }
    if (keys?.kind === "chain") return this.#beginChain(client, keys);
    if (this.#given === undefined) {
      return this.#changeKeys(client, madeSecrets(kdPrf), { kind: "made" });
    }
    if (kdPrf === this.#options.kdPrf && keys !== undefined) {
      return this.#changeKeys(client, this.#given, keys);
    }
    throw new Error(
      `its key derivation is ${kdPrf}: add --kd-prf ${kdPrf}, with a key that ` +
        "fits it",
    );
  }

  /** Nobody else has to do anything: the keys of now stay the same. */
  #forgetPast(client: Replacement, chain: string): Replacement {
    const { out } = this.#options;
    if (out !== undefined) {
      // Who waits for a file believes that whoever has the old keys is shut out.
      throw new Error(
        "it has a key chain, which forgets older keys and stays: nothing is " +
          `new for --out ${out}; leave that away, or add --chain and ` +
          "--chain-file for another chain",
      );
    }
    const next = forwardChain(chain, Date.now() / 1000);
    this.told = next === undefined
      ? "its chain has forgotten all older keys already; --chain makes " +
        "another one"
      : "its chain has forgotten all older keys, and goes on: its own side " +
        "does so by itself";
    return { ...client, chain: next ?? chain };
  }

  #beginChain(
    { text }: Replacement,
    keys: Extract<NewKeys, { kind: "chain" }>,
  ): Replacement {
    const { name } = this.#options;
    const chain = newChain(keys.interval, Date.now() / 1000);
    const config = newKeysYaml({ name, keys }, undefined);
    this.#files.write({ config, chain });
    this.told =
      "it has a new key chain. Its servers use that at once: its own " +
      "side hears nothing until it has been restarted with the chain file";
    return { text: withLines(text, KEY_OPTIONS, []), chain };
  }

  #changeKeys(
    { text }: Replacement,
    secrets: MasterSecrets,
    keys: NewKeys,
  ): Replacement {
    const { name, out } = this.#options;
    const isMade = keys.kind === "made";
    if (out !== undefined) {
      const config = newKeysYaml({ name, keys }, isMade ? secrets : undefined);
      this.#files.write({ config, chain: undefined });
    } else if (isMade) {
      throw new Error(
        "a new key has to get to the client: add --out <file>, or --out - " +
          "for standard output; or give one by --key-file and --salt-file",
      );
    }
    this.told = isMade
      ? "it has new keys. Its servers use them at once: its own side " +
        "hears nothing until it has them, too, and a HUP"
      : "it has the keys that were given. Its servers use them at " +
        "once, and open the ones before for 10 s more: nothing is lost if its " +
        "own side has had them, and a HUP, within the last 10 s";
    const lines = keyLines(secrets);
    return { text: withLines(text, KEY_OPTIONS, lines), chain: undefined };
  }
}
