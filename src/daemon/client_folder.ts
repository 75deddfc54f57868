// The clients of a Debian tunnel as the records that a control daemon serves.
import type { ControldOptions } from "../config/controld.ts";
import type { ClientsOfFolder } from "../config/client_folder.ts";
import type { SecretBytes } from "../config/host_files.ts";
import type { Logger } from "../log/logger.ts";
import { recordsOf, type RecordsWorld } from "./client_records.ts";
import type { Service, Starting } from "./lifecycle.ts";

/** Stands before the service that serves them, which reads them here. */
export class ClientFolder implements Service<ControldOptions> {
  readonly name = "clients";
  readonly #world: RecordsWorld;
  readonly #logger: Logger;
  readonly #first: ClientsOfFolder;
  #text: Uint8Array = new Uint8Array(0);
  /** What a reload that all agree to takes over. */
  #next: Uint8Array | undefined;

  constructor(first: ClientsOfFolder, world: RecordsWorld, logger: Logger) {
    this.#first = first;
    this.#world = world;
    this.#logger = logger;
  }

  async start({ waiting }: Starting): Promise<void> {
    waiting("addresses of clients");
    this.#text = await this.#textOf(this.#first);
  }

  /** @throws if the name of a peer has no address */
  async check(
    { clients }: Pick<ControldOptions, "clients">,
    undo: DisposableStack,
  ): Promise<void> {
    this.#next = clients && await this.#textOf(clients);
    // Others may be at fault: they are told to reload nevertheless.
    undo.defer(() => this.#next = undefined);
  }

  reload(): void {
    this.#text = this.#next ?? this.#text;
    this.#next = undefined;
  }

  /** A copy, of which nobody else knows. */
  read(): SecretBytes {
    return { bytes: this.#text.slice(), isPublic: false };
  }

  async #textOf({ clients }: ClientsOfFolder): Promise<Uint8Array> {
    const text = await recordsOf(clients, this.#world, this.#logger);
    return new TextEncoder().encode(text);
  }
}
