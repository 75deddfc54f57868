// Files for a client's side. They are written before the store is changed: a
// full disk must not lose a key that is in use.
import { createFile } from "../../ffi/process/new_file.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import type { KeyPlaces } from "../config/fleet_keys.ts";
import { UnsureError } from "../fleet/clients.ts";
import { reasonOf } from "../log/reason.ts";
import type { ByteStream } from "../log/line_stream.ts";
import { printTo } from "./print.ts";

/** For nobody but the owner. */
const MODE = 0o600;

const STANDARD_OUTPUT = "-";

/** The store has a key that nobody else has got. */
export class LostKeyError extends Error {
  constructor(cause: unknown) {
    super(
      `Cannot print what the store has by now (--out -): ${reasonOf(cause)}; ` +
        "the client's keys are lost: anytun fleet rotate gives it other ones",
      { cause },
    );
    this.name = "LostKeyError";
  }
}

interface ClientTexts {
  /** Undefined for none. */
  readonly config: string | undefined;
  readonly chain: string | undefined;
}

export class ClientFiles {
  readonly #places: KeyPlaces;
  readonly #libc: ProcessLibc;
  readonly #output: ByteStream;
  #made = new DisposableStack();
  #printed = "";

  /** @param output For what goes into no file */
  constructor(places: KeyPlaces, libc: ProcessLibc, output: ByteStream) {
    this.#places = places;
    this.#libc = libc;
    this.#output = output;
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
   * Has the store changed, and keeps or prints what was written if that was
   * done, or may have been.
   * @throws what the change throws
   * @throws {LostKeyError}
   */
  async forChange<T>(change: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await change();
    } catch (error) {
      if (error instanceof UnsureError) this.#keep();
      else this.#remove();
      throw error;
    }
    this.#keep();
    return result;
  }

  #keep(): void {
    this.#made.move();
    try {
      printTo(this.#output, this.#printed);
    } catch (cause) {
      throw new LostKeyError(cause);
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
