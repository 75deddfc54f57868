import assert from "node:assert/strict";
import { Errno } from "../../../ffi/errno.ts";
import { SocketDiagnosis, type TcpEnd } from "../../../ffi/net/sock_diag.ts";
import { fakeLibc } from "../../fakes/fake_libc.ts";
import { libcTest as test } from "../../fakes/with_libc.ts";
import { ipAddress } from "../../samples/routes.ts";

const UID = Deno.uid();

function endOf({ hostname, port }: Deno.NetAddr): TcpEnd {
  return { address: ipAddress(hostname).bytes, port };
}

for (
  const [listening, connecting] of [
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
    // The one end is of IPv6, with an IPv4-mapped address, the other of IPv4.
    ["::", "127.0.0.2"],
  ] as const
) {
  test(`both ends of a connection from ${connecting} to ${listening} are of this user`, async (libc) => {
    const diagnosis = new SocketDiagnosis(libc);
    const listener = Deno.listen({ hostname: listening, port: 0 });
    const { port } = listener.addr;
    const near = await Deno.connect({ hostname: connecting, port });
    const client = endOf(near.localAddr);
    const server = endOf(near.remoteAddr);
    assert.equal(diagnosis.ownerOf(client, server), UID);
    const far = await listener.accept();
    assert.equal(diagnosis.ownerOf(server, client), UID);
    assert.equal(diagnosis.ownerOf(client, { ...server, port: 1 }), undefined);
    for (const each of [near, far, listener]) each.close();
    diagnosis.close();
  });
}

test("a socket that no process holds is nobody's, and not root's", async (libc) => {
  const diagnosis = new SocketDiagnosis(libc);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const near = await Deno.connect({ hostname: "127.0.0.1", port });
  const client = endOf(near.localAddr);
  const server = endOf(near.remoteAddr);
  const far = await listener.accept();
  // The kernel goes on with it alone, for as long as the other end is open.
  far.close();
  assert.equal(diagnosis.ownerOf(server, client), undefined);
  assert.equal(diagnosis.ownerOf(client, server), UID);
  near.close();
  assert.equal(diagnosis.ownerOf(client, server), undefined);
  // A listener is no end of a connection.
  assert.equal(diagnosis.ownerOf(server, client), undefined);
  listener.close();
  diagnosis.close();
});

/** An answer of the kernel, of this state, user and inode. */
function reply(port: number, state: number, uid: number, inode: number) {
  const bytes = new Uint8Array(16 + 72);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, 20, true);
  view.setUint32(8, 2, true);
  bytes[17] = state;
  view.setUint16(20, port);
  view.setUint16(22, 7);
  view.setUint32(80, uid, true);
  view.setUint32(84, inode, true);
  return bytes;
}

test("an answer counts only for a connected socket that a process holds", (libc) => {
  const end = { address: new Uint8Array(16), port: 6 };
  const cases: readonly (readonly [Uint8Array, number | undefined])[] = [
    [reply(6, 1, 0, 9), 0],
    [reply(6, 1, 65534, 9), 65534],
    [reply(6, 8, 5, 9), 5],
    [reply(6, 1, 0, 0), undefined],
    [reply(6, 6, 0, 9), undefined],
    [reply(6, 10, 0, 9), undefined],
    [reply(5, 1, 0, 9), undefined],
    [reply(6, 1, 0, 9).subarray(0, 80), undefined],
  ];
  for (const [bytes, owner] of cases) {
    let answers = 0;
    const answering = fakeLibc(libc, {
      recv(fd, into, size, flags) {
        if (answers++ === 0) return libc.symbols.recv(fd, into, size, flags);
        assert.ok(into instanceof Uint8Array);
        into.set(bytes);
        return bytes.length;
      },
    }, 0);
    const diagnosis = new SocketDiagnosis(answering);
    assert.equal(diagnosis.ownerOf(end, { ...end, port: 7 }), owner);
    diagnosis.close();
  }
});

test("a kernel that does not tell is noticed before anybody is judged", (libc) => {
  const noSocket = fakeLibc(libc, { socket: () => -1 }, Errno.EAFNOSUPPORT);
  assert.throws(() => new SocketDiagnosis(noSocket), {
    message: "Cannot find the owner of a socket: " +
      "Address family not supported by protocol (socket(), EAFNOSUPPORT)",
  });
  const noTcp = fakeLibc(libc, {
    recv(_fd, into) {
      assert.ok(into instanceof Uint8Array);
      const view = new DataView(into.buffer);
      view.setUint16(4, 3, true);
      view.setUint32(8, 1, true);
      view.setInt32(16, -Errno.ENOENT, true);
      return 20;
    },
  }, 0);
  assert.throws(() => new SocketDiagnosis(noTcp), { code: "ENOENT" });
});
