// Unix sockets of this host, and the owners of its TCP sockets.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { Readiness } from "../../ffi/net/readiness.ts";
import { SocketDiagnosis } from "../../ffi/net/sock_diag.ts";
import { openSocketLibc } from "../../ffi/net/socket_libc.ts";
import { UnixListener } from "../../ffi/net/unix_listener.ts";
import {
  connectUnix,
  type UnixStream as FfiStream,
} from "../../ffi/net/unix_stream.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { UnixSocket } from "../net/place.ts";
import type { OwnerOf, UnixStream, UnixStreams } from "../sync/streams.ts";

/** Each is opened at its first use. */
export class LocalStreams implements AsyncDisposable {
  readonly #libc: ProcessLibc;
  readonly #opened = new AsyncDisposableStack();
  #unixStreams: UnixStreams | undefined;
  #owners: OwnerOf | undefined;

  /** @param libc Stays open */
  constructor(libc: ProcessLibc) {
    this.#libc = libc;
  }

  openUnixStreams(): UnixStreams {
    return this.#unixStreams ??= this.#openUnixStreams();
  }

  /** @throws if the kernel does not tell */
  openOwners(): OwnerOf {
    return this.#owners ??= this.#openOwners();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  #openUnixStreams(): UnixStreams {
    const libc = this.#opened.adopt(
      openSocketLibc(this.#libc),
      (libc) => libc.close(),
    );
    const readiness = this.#opened.adopt(
      new Readiness(libc),
      (readiness) => readiness.close(),
    );
    return {
      listen(on, owner) {
        const { path } = on;
        const listener = new UnixListener(libc, readiness, path, owner);
        return {
          local: on,
          isProtected: false,
          accept: async () => streamOf(await listener.accept(), on),
          close: () => listener.close(),
        };
      },
      connect: (to) => streamOf(connectUnix(libc, readiness, to.path), to),
    };
  }

  #openOwners(): OwnerOf {
    const diagnosis = this.#opened.adopt(
      new SocketDiagnosis(this.#libc),
      (diagnosis) => diagnosis.close(),
    );
    return (end, other) => diagnosis.ownerOf(tcpEnd(end), tcpEnd(other));
  }
}

function streamOf(stream: FfiStream, remote: UnixSocket): UnixStream {
  return {
    remote,
    uid: stream.uid,
    read: (into) => stream.read(into),
    write: (bytes) => stream.write(bytes),
    close: () => stream.close(),
  };
}

function tcpEnd({ address, port }: Endpoint) {
  return { address: address.bytes, port };
}
