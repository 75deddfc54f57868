// Files for a client's side. They are written before the engine is changed: a
// full disk must not lose a key that is in use.
import { createFile } from "../../ffi/process/new_file.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import type { KeyPlaces } from "../config/fleet.ts";
import { UnsureError } from "../fleet/clients.ts";
import { reasonOf } from "../log/reason.ts";
import { printTo } from "./print.ts";

/** For nobody but the owner. */
const MODE = 0o600;

const STANDARD_OUTPUT = "-";

interface ClientTexts {
  /** Undefined for none. */
  readonly config: string | undefined;
  readonly chain: string | undefined;
}

export class ClientFiles {
  readonly #places: KeyPlaces;
  readonly #libc: ProcessLibc;
  #made = new DisposableStack();
  #printed = "";

  constructor(places: KeyPlaces, libc: ProcessLibc) {
    this.#places = places;
    this.#libc = libc;
  }

  /**
   * Writes them, in place of those that were written before.
   * @throws where something has the name, or there is no room
   */
  write({ config = "", chain }: ClientTexts): void {
    const { out = STANDARD_OUTPUT, chainFile } = this.#places;
    this.#remove();
    if (chainFile !== undefined && chain !== undefined) {
      this.#create(chainFile, chain, "--chain-file");
    }
    if (out === STANDARD_OUTPUT) this.#printed = config;
    else if (config !== "") this.#create(out, config, "--out");
  }

  /**
   * Has the engine changed, and keeps or prints what was written if that was
   * done, or may have been.
   * @throws what the change throws
   */
  async forChange<T>(change: () => Promise<T>): Promise<T> {
    try {
      const result = await change();
      this.#made.move();
      printTo(Deno.stdout, this.#printed);
      return result;
    } catch (error) {
      if (!(error instanceof UnsureError)) this.#remove();
      throw error;
    }
  }

  #remove(): void {
    this.#made.dispose();
    this.#made = new DisposableStack();
  }

  #create(path: string, text: string, option: string): void {
    const bytes = new TextEncoder().encode(text);
    try {
      const file = createFile(this.#libc, path, bytes, MODE);
      this.#made.defer(() => file.remove());
    } catch (cause) {
      throw new Error(`${reasonOf(cause)} (${option})`, { cause });
    } finally {
      bytes.fill(0);
    }
  }
}
