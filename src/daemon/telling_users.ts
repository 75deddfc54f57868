// Listener that tells which user of this host has come over loopback, where all
// of them have one address.
import { isLoopback } from "../net/address.ts";
import type { PeerStream, StreamListener } from "../net/duplex_stream.ts";
import type { OwnerOf, TcpStream } from "../sync/streams.ts";

/** @param openOwners Throws if the kernel does not tell: then nobody is known */
export function tellingUsers(
  listener: StreamListener<TcpStream>,
  openOwners: () => OwnerOf,
): StreamListener {
  return {
    async accept() {
      const stream = await listener.accept();
      const uid = userOf(stream, openOwners);
      return uid === undefined ? stream : withUser(stream, uid);
    },
    close: () => listener.close(),
  };
}

function userOf(
  { local, remote }: TcpStream,
  openOwners: () => OwnerOf,
): number | undefined {
  if (!isLoopback(remote.address)) return undefined;
  try {
    return openOwners()(remote, local);
  } catch {
    // Where the kernel does not tell, nobody is anybody.
    return undefined;
  }
}

function withUser(stream: TcpStream, uid: number): PeerStream {
  return {
    remote: stream.remote,
    uid,
    read: (into) => stream.read(into),
    write: (bytes) => stream.write(bytes),
    close: () => stream.close(),
  };
}
