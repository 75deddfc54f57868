/**
 * Unix streams for one test, in a folder of their own.
 */
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { Readiness } from "../../ffi/net/readiness.ts";
import { openSocketLibc, type SocketLibc } from "../../ffi/net/socket_libc.ts";
import { UnixListener } from "../../ffi/net/unix_listener.ts";
import { connectUnix, type UnixStream } from "../../ffi/net/unix_stream.ts";

/** What a test has of them. */
export interface UnixRig {
  readonly libc: SocketLibc;
  readonly readiness: Readiness;
  /** The name of a socket that is not there yet. */
  readonly path: string;
  readonly folder: string;
  /** Listens at the path, or another one. */
  listen(path?: string): UnixListener;
  /** Connects to the path. */
  connect(): UnixStream;
  /** Two ends of one connection. */
  pair(): Promise<readonly [UnixStream, UnixStream]>;
}

/** Registers a test with unix streams; what they need is given back. */
export function unixTest(
  name: string,
  body: (rig: UnixRig) => void | Promise<void>,
): void {
  Deno.test(name, async () => {
    const processLibc = openProcessLibc();
    const libc = openSocketLibc(processLibc);
    const readiness = new Readiness(libc);
    const folder = Deno.makeTempDirSync();
    const path = `${folder}/socket`;
    const listen = (at = path) => new UnixListener(libc, readiness, at);
    const connect = () => connectUnix(libc, readiness, path);
    const pair = async () => {
      const listener = listen();
      const near = connect();
      const far = await listener.accept();
      listener.close();
      return [near, far] as const;
    };
    try {
      await body({ libc, readiness, folder, path, listen, connect, pair });
    } finally {
      Deno.removeSync(folder, { recursive: true });
      await readiness.close();
      libc.close();
      processLibc.close();
    }
  });
}
