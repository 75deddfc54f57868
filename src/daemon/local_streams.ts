// Sockets of this host that accept connections, its unix sockets, and the owners
// of its TCP sockets.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { interfaceIndex } from "../../ffi/process/process.ts";
import { Readiness } from "../../ffi/net/readiness.ts";
import { SocketDiagnosis } from "../../ffi/net/sock_diag.ts";
import type { SocketAddress } from "../../ffi/net/sockaddr.ts";
import { openSocketLibc, type SocketLibc } from "../../ffi/net/socket_libc.ts";
import type { StreamSocket } from "../../ffi/net/stream_socket.ts";
import { connectTcp } from "../../ffi/net/tcp_connector.ts";
import { TcpListener } from "../../ffi/net/tcp_listener.ts";
import type { TcpStream as FfiTcpStream } from "../../ffi/net/tcp_stream.ts";
import { UnixListener } from "../../ffi/net/unix_listener.ts";
import {
  connectUnix,
  type UnixStream as FfiUnixStream,
} from "../../ffi/net/unix_stream.ts";
import { addressOf, unmapped } from "../net/address.ts";
import type { DuplexStream } from "../net/duplex_stream.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { UnixSocket } from "../net/place.ts";
import { withNumericZone } from "../net/zone.ts";
import type {
  OwnerOf,
  TcpStream,
  TcpSyncListener,
  UnixStream,
  UnixStreams,
} from "../sync/streams.ts";
import { BindError } from "../tunnel/bind_error.ts";

/** Each is opened at its first use. */
export class LocalStreams implements AsyncDisposable {
  readonly #libc: ProcessLibc;
  readonly #opened = new AsyncDisposableStack();
  #calls: Calls | undefined;
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

  /**
   * At all addresses of IPv6 those of IPv4 are served, too.
   * @throws if it cannot be bound; the message is the reason alone
   */
  listenTcp(on: Endpoint, isLater = false): TcpSyncListener {
    const { libc, readiness } = this.#openCalls();
    const local = this.#socketAddressOf(on);
    const listener = inWords(
      on,
      () => new TcpListener(libc, readiness, local, isLater),
    );
    return {
      // With the zone as it was given.
      local: { address: on.address, port: listener.local.port },
      isProtected: false,
      listen: () => inWords(on, () => listener.listen()),
      accept: async () => tcpStreamOf(await listener.accept()),
      close: () => listener.close(),
    };
  }

  /** Notices within seconds that the other host is gone. */
  async connectTcp(to: Endpoint, signal: AbortSignal): Promise<TcpStream> {
    const { libc, readiness } = this.#openCalls();
    const remote = this.#socketAddressOf(to);
    return tcpStreamOf(await connectTcp(libc, readiness, remote, signal));
  }

  #socketAddressOf({ address, port }: Endpoint): SocketAddress {
    const { bytes, zone = 0 } = withNumericZone(
      address,
      (name) => interfaceIndex(this.#libc, name),
    );
    return { address: bytes, port, scope: Number(zone) };
  }

  #openCalls(): Calls {
    if (this.#calls !== undefined) return this.#calls;
    const libc = this.#opened.adopt(
      openSocketLibc(this.#libc),
      (libc) => libc.close(),
    );
    const readiness = this.#opened.adopt(
      new Readiness(libc),
      (readiness) => readiness.close(),
    );
    return this.#calls = { libc, readiness };
  }

  #openUnixStreams(): UnixStreams {
    const { libc, readiness } = this.#openCalls();
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

/** What all streams have between them. */
interface Calls {
  readonly libc: SocketLibc;
  readonly readiness: Readiness;
}

/** @throws {Error} whose message is the reason alone */
function inWords<T>(on: Endpoint, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new Error(new BindError(on, cause).reason, { cause });
  }
}

function streamOf(stream: FfiUnixStream, remote: UnixSocket): UnixStream {
  return { ...duplexOf(stream), remote, uid: stream.uid };
}

function tcpStreamOf(stream: FfiTcpStream): TcpStream {
  const local = endpointOf(stream.local);
  const remote = endpointOf(stream.remote);
  return { ...duplexOf(stream), local, remote };
}

function duplexOf(stream: StreamSocket): DuplexStream {
  return {
    read: (into) => stream.read(into),
    write: (bytes) => stream.write(bytes),
    close: () => stream.close(),
  };
}

/** A socket of both families shows IPv4 peers as mapped addresses. */
function endpointOf({ address, port, scope }: SocketAddress): Endpoint {
  const zone = scope === 0 ? {} : { zone: String(scope) };
  return { address: unmapped({ ...addressOf(address), ...zone }), port };
}

function tcpEnd({ address, port }: Endpoint) {
  return { address: address.bytes, port };
}
