// Unix stream sockets that accept connections (unix(7)).

import type { Identity } from "../process/identity.ts";
import type { Readiness } from "./readiness.ts";
import { SocketFile } from "./socket_file.ts";
import type { SocketLibc } from "./socket_libc.ts";
import { StreamListener } from "./stream_listener.ts";
import { openUnixSocket, UnixStream } from "./unix_stream.ts";

/** Only one user can connect to it. */
export class UnixListener {
  readonly #listener: StreamListener<UnixStream>;
  readonly #file: SocketFile;
  #isOpen = true;

  /**
   * @param owner Owner of the file, if not this user.
   * @throws As {@linkcode SocketFile.bind}.
   */
  constructor(
    libc: SocketLibc,
    readiness: Readiness,
    path: string,
    owner?: Identity,
  ) {
    const fd = openUnixSocket(libc);
    using undo = new DisposableStack();
    undo.defer(() => libc.symbols.close(fd));
    this.#file = SocketFile.bind(libc, fd, path, owner);
    undo.defer(() => this.#file.remove());
    this.#listener = new StreamListener(libc, readiness, {
      ...{ fd, place: `at '${path}'` },
      welcome: (fd) => new UnixStream(libc, readiness, fd),
    });
    undo.move();
  }

  /** As {@linkcode StreamListener.accept}. */
  accept(): Promise<UnixStream> {
    return this.#listener.accept();
  }

  /**
   * Removes the name too, unless that is out of reach by now. May be called
   * again.
   */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.remove();
    this.#listener.close();
  }
}
