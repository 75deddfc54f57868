import assert from "node:assert/strict";
import {
  SOCKADDR_SIZE,
  SOCKADDR_WORDS,
  writeSockaddr,
} from "../../../ffi/net/sockaddr.ts";
import { PathProbe } from "../../../ffi/net/path_probe.ts";
import { UdpSocket } from "../../../ffi/net/udp.ts";
import { libcTest } from "../../fakes/with_libc.ts";

/** Of the loopback device; IPv4 has no longer packets than 65535 bytes. */
const MTU = { 4: 65535, 6: 65536 } as const;

function words(address: Uint8Array, port = 4444): Uint32Array {
  const into = new Uint32Array(SOCKADDR_WORDS);
  const view = new DataView(into.buffer, 0, SOCKADDR_SIZE);
  writeSockaddr(view, 0, { address, port, scope: 0 });
  return into;
}

for (
  const [family, address] of [
    [4, Uint8Array.of(127, 0, 0, 1)],
    [6, new Uint8Array(16).with(15, 1)],
  ] as const
) {
  libcTest(
    `a probe knows what the path to this host takes, over IPv${family}`,
    (libc) => {
      const local = {
        address: new Uint8Array(address.length),
        port: 0,
        scope: 0,
      };
      const probe = new PathProbe(libc, local);
      assert.equal(probe.family, family);
      // Again and again, as the last address does not hold the next one up.
      for (let k = 0; k < 3; k++) {
        assert.equal(probe.mtu(words(address), 0), MTU[family]);
      }
      assert.equal(probe.mtu(new Uint32Array(SOCKADDR_WORDS), 0), 0);
      const other = new Uint8Array(family === 4 ? 16 : 4).fill(1);
      assert.equal(probe.mtu(words(other), 0), 0);
      probe.close();
    },
  );
}

libcTest("a probe sends nothing", (libc) => {
  const address = Uint8Array.of(127, 0, 0, 1);
  const socket = UdpSocket.open(libc, { address, port: 0, scope: 0 });
  const probe = new PathProbe(libc, { address, port: 0, scope: 0 });
  assert.equal(
    probe.mtu(words(address, socket.local.port), 0),
    MTU[4],
  );
  const MSG_DONTWAIT = 0x40;
  const room = new Uint8Array(8);
  const got = libc.symbols.recv(socket.fd, room, room.length, MSG_DONTWAIT);
  assert.equal(got, -1);
  probe.close();
  socket.close();
});
