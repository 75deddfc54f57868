/**
 * The unix sockets of this host, and whose its TCP sockets are, by way of the
 * C library. All of it is opened when it is needed first.
 *
 * @module
 */
import type { ProcessLibc } from "../../ffi/process_libc.ts";
import { Readiness } from "../../ffi/readiness.ts";
import { SocketDiagnosis } from "../../ffi/sock_diag.ts";
import { openSocketLibc } from "../../ffi/socket_libc.ts";
import { UnixListener } from "../../ffi/unix_listener.ts";
import {
  connectUnix,
  type UnixStream as FfiStream,
} from "../../ffi/unix_stream.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { UnixSocket } from "../net/place.ts";
import type { OwnerOf, UnixStream, UnixStreams } from "../sync/seams.ts";

/** What a program has of it, however often it asks. */
export interface LocalStreams {
  /** @throws if the C library cannot be opened once more */
  openUnixStreams(): UnixStreams;
  /** @throws if the kernel does not tell */
  openOwners(): OwnerOf;
}

/** Opens nothing yet. */
export function localStreams(libc: ProcessLibc): LocalStreams {
  let streams: UnixStreams | undefined;
  let owners: OwnerOf | undefined;
  return {
    openUnixStreams: () => streams ??= openStreams(libc),
    openOwners: () => owners ??= openOwners(libc),
  };
}

function openStreams(processLibc: ProcessLibc): UnixStreams {
  const libc = openSocketLibc(processLibc);
  const readiness = new Readiness(libc);
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

function streamOf(stream: FfiStream, remote: UnixSocket): UnixStream {
  return {
    remote,
    uid: stream.uid,
    read: (into) => stream.read(into),
    write: (bytes) => stream.write(bytes),
    close: () => stream.close(),
  };
}

function openOwners(libc: ProcessLibc): OwnerOf {
  const diagnosis = new SocketDiagnosis(libc);
  return (end, other) => diagnosis.ownerOf(tcpEnd(end), tcpEnd(other));
}

function tcpEnd({ address, port }: Endpoint) {
  return { address: address.bytes, port };
}
