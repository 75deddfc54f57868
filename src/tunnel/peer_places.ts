// Places that peers are heard from, and what connections learn of them: the
// endpoint to send to (SATP section 7), and the address of this host to send from.
import {
  copyLocal,
  copySockaddr,
  isLocal,
  LOCAL_WORDS,
  sameLocal,
  sameSockaddr,
  SOCKADDR_WORDS,
} from "../../ffi/net/sockaddr.ts";
import type { Connection } from "./connection.ts";
import type { LoadedKeys } from "./loaded_keys.ts";
import type { Heard } from "./roaming.ts";
import type { TableEndpoints } from "./table_endpoints.ts";

interface PeerPlacesOptions {
  readonly endpoints: TableEndpoints;
  /** Whether a peer that is known may move to where it is heard. */
  readonly roaming: boolean;
  /** Called with the mux of a connection whose peer was heard elsewhere. */
  readonly moved: (mux: number) => void;
}

/** Of the messages that hold a batch of datagrams. */
export class PeerPlaces {
  /** Where each came from: {@link SOCKADDR_WORDS} words. */
  readonly sources: Uint32Array;
  /** Which address of this host it came to: {@link LOCAL_WORDS} words. */
  readonly locals: Uint32Array;
  readonly #options: PeerPlacesOptions;

  constructor(capacity: number, options: PeerPlacesOptions) {
    this.sources = new Uint32Array(capacity * SOCKADDR_WORDS);
    this.locals = new Uint32Array(capacity * LOCAL_WORDS);
    this.#options = options;
  }

  /**
   * To be called for each datagram that was authentic and no replay.
   *
   * @param message The one that it came in
   * @returns Whether the peer is elsewhere, which is to be told by
   * {@linkcode PeerPlaces.tell}
   */
  learn(
    connection: Connection,
    keys: LoadedKeys,
    message: number,
    heard: Heard,
  ): boolean {
    // From keys that the peer has left nothing is learned.
    if (connection.sets.length > 1 && connection.isPast(keys)) return false;
    const source = message * SOCKADDR_WORDS;
    const isElsewhere = this.#follow(connection, keys, source, heard);
    this.#noteLocal(connection, keys, message, heard);
    return isElsewhere;
  }

  /** Once the table has all of it. */
  tell(mux: number): void {
    this.#options.moved(mux);
  }

  #follow(
    connection: Connection,
    keys: LoadedKeys,
    source: number,
    heard: Heard,
  ): boolean {
    const { sources } = this;
    const { endpoint, tenure, mux } = connection;
    if (sameSockaddr(endpoint, 0, sources, source)) {
      tenure.hear(heard);
      return false;
    }
    const { roaming, endpoints } = this.#options;
    if (!roaming && connection.hasEndpoint) return false;
    if (!tenure.yields(endpoint, sources, source, heard)) return false;
    if (!endpoints.follow(mux, keys.name, sources, source)) return false;
    copySockaddr(sources, source, endpoint, 0);
    connection.local.fill(0);
    return true;
  }

  // As for the endpoint, a number that is not the highest proves nothing. Only
  // those from where answers go say where they are to leave from.
  #noteLocal(
    connection: Connection,
    keys: LoadedKeys,
    message: number,
    heard: Heard,
  ): void {
    const { locals } = this;
    const at = message * LOCAL_WORDS;
    if (sameLocal(connection.local, 0, locals, at)) return;
    if (!heard.isNewest || !isLocal(locals, at)) return;
    const { endpoint, mux } = connection;
    const source = message * SOCKADDR_WORDS;
    if (!sameSockaddr(endpoint, 0, this.sources, source)) return;
    const { endpoints } = this.#options;
    if (!endpoints.setLocal(mux, keys.name, locals, at)) return;
    copyLocal(locals, at, connection.local, 0);
  }
}
