import assert from "node:assert/strict";
import type {
  SocketLibc,
  SocketSymbols,
} from "../../../ffi/net/socket_libc.ts";
import { UnixListener } from "../../../ffi/net/unix_listener.ts";
import { settle } from "../../fakes/manual_clock.ts";
import { type UnixRig, unixTest as test } from "../../fakes/unix_streams.ts";

/** Listens with some of the calls replaced. */
function listenWith(
  { libc, readiness, path }: UnixRig,
  symbols: Partial<SocketLibc["symbols"]>,
  socket: Partial<SocketSymbols> = {},
): UnixListener {
  const replaced: SocketLibc = {
    ...libc,
    symbols: { ...libc.symbols, ...symbols },
    socket: { ...libc.socket, ...socket },
  };
  return new UnixListener(replaced, readiness, path);
}

/** Leaves a socket behind, as a server that is killed does. */
function leaveDead(path: string): void {
  const other = `${path}.other`;
  const server = Deno.listen({ transport: "unix", path });
  Deno.renameSync(path, other);
  server.close();
  Deno.renameSync(other, path);
}

const modeOf = (path: string) => (Deno.lstatSync(path).mode ?? 0) & 0o777;

test("the file of a socket is for its owner alone from the first moment on", (rig) => {
  const mask = Deno.umask(0);
  try {
    const modes: number[] = [];
    const listener = listenWith(rig, {
      bind(...args) {
        const status = rig.libc.symbols.bind(...args);
        modes.push(modeOf(rig.path));
        return status;
      },
    });
    modes.push(modeOf(rig.path));
    assert.deepEqual(modes, [0o600, 0o600]);
    listener.close();
  } finally {
    Deno.umask(mask);
  }
});

test("accept() lets in one after the other, until the listener is closed", async ({ listen, connect, path }) => {
  const listener = listen();
  const ends = [connect(), connect()];
  ends.push(await listener.accept(), await listener.accept());
  const waiting = listener.accept();
  await settle();
  ends.push(connect(), await waiting);
  const last = listener.accept();
  await settle();
  listener.close();
  listener.close();
  await assert.rejects(last, {
    message: `Cannot accept at '${path}': it is closed`,
  });
  await assert.rejects(listener.accept(), /is closed/);
  assert.throws(connect, { code: "ENOENT" });
  for (const end of ends) end.close();
});

test("the socket of a server that has died gives way", async ({ listen, connect, path, folder }) => {
  leaveDead(path);
  assert.throws(connect, { code: "ECONNREFUSED" });
  const listener = listen();
  const near = connect();
  const far = await listener.accept();
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert.deepEqual(names, ["socket"]);
  for (const each of [near, far, listener]) each.close();
});

test("the socket of a server that lives does not", async ({ listen, connect, path }) => {
  const first = listen();
  assert.throws(() => listen(), {
    message: `Cannot listen at '${path}': another server listens there`,
  });
  // The one who asked has gone again.
  (await first.accept()).close();
  const near = connect();
  (await first.accept()).close();
  near.close();
  first.close();
});

test("nor does one that has its name and is about to listen", (rig) => {
  const { path } = rig;
  // A socket that only has its name refuses connections like a dead one.
  leaveDead(path);
  let starting: Deno.Listener | undefined;
  const wait = () => {
    Deno.removeSync(path);
    starting = Deno.listen({ transport: "unix", path });
    return 0;
  };
  assert.throws(() => listenWith(rig, { poll: wait }), {
    message: `Cannot listen at '${path}': another server listens there`,
  });
  starting?.close();
});

test("nor does one that has taken the name of a dead one meanwhile", (rig) => {
  const { path, connect, libc } = rig;
  leaveDead(path);
  let other: Deno.Listener | undefined;
  const rename: SocketSymbols["rename"] = (...args) => {
    if (other === undefined) {
      Deno.removeSync(path);
      other = Deno.listen({ transport: "unix", path });
    }
    return libc.socket.rename(...args);
  };
  assert.throws(() => listenWith(rig, {}, { rename }), {
    message: `Cannot listen at '${path}': another server listens there`,
  });
  connect().close();
  other?.close();
});

test("what is no socket stays as it is", ({ listen, path, folder }) => {
  const refused = {
    message: `Cannot listen at '${path}': it exists and is not a socket`,
  };
  Deno.writeTextFileSync(path, "precious");
  assert.throws(() => listen(), refused);
  assert.equal(Deno.readTextFileSync(path), "precious");
  Deno.removeSync(path);
  Deno.writeTextFileSync(`${folder}/target`, "precious");
  for (const target of ["target", "none"]) {
    Deno.symlinkSync(`${folder}/${target}`, path);
    assert.throws(() => listen(), refused);
    assert.equal(Deno.readLinkSync(path), `${folder}/${target}`);
    Deno.removeSync(path);
  }
  Deno.mkdirSync(path);
  assert.throws(() => listen(), refused);
  const below = `${folder}/none/socket`;
  assert.throws(() => listen(below), {
    message:
      `Cannot listen at '${below}': No such file or directory (bind(), ENOENT)`,
  });
});

test("a file that somebody else has put there is given to nobody", (rig) => {
  const { libc, path, folder } = rig;
  Deno.writeTextFileSync(`${folder}/precious`, "");
  const given: unknown[] = [];
  assert.throws(
    () =>
      listenWith(rig, {
        open(...args) {
          Deno.removeSync(path);
          Deno.linkSync(`${folder}/precious`, path);
          return libc.symbols.open(...args);
        },
      }, {
        fchownat: (...args) => given.push(args),
      }),
    { message: `Cannot listen at '${path}': its file was moved or replaced` },
  );
  assert.deepEqual(given, []);
  assert.ok(Deno.statSync(path).isFile);
});

test("close() leaves alone what has taken the place of the socket", ({ listen, path }) => {
  const listener = listen();
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, "precious");
  listener.close();
  assert.equal(Deno.readTextFileSync(path), "precious");
});
