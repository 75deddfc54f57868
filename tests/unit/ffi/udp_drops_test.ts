import assert from "node:assert/strict";
import { UdpDrops, udpDropsIn } from "../../../ffi/net/udp_drops.ts";
import { libcTest } from "../../fakes/with_libc.ts";

/** Of Linux 6.1. */
const TEXT =
  `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  310: 0100007F:115C 00000000:0000 07 00000000:00034500 00:00000000 00000000     0        0 34121 2 0000000000000000 97
  311: 00000000:115C 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 34122 2 0000000000000000 5
  312: 0100007F:115D 00000000:0000 07 00000000:00000000
`;

Deno.test("what was dropped at a full UDP socket stands at the end of its line", () => {
  assert.equal(udpDropsIn(TEXT, "0100007F:115C"), 97);
  assert.equal(udpDropsIn(TEXT, "00000000:115C"), 5);
});

Deno.test("of a socket that is not there nobody knows, nor where columns are missing", () => {
  for (const local of ["0100007F:115D", "0100007F:115", "local_address", ""]) {
    assert.equal(udpDropsIn(TEXT, local), undefined, local);
  }
});

const LOOPBACK = new Uint8Array(16);
LOOPBACK[15] = 1;

for (
  const [hostname, address] of [
    ["127.0.0.1", Uint8Array.of(127, 0, 0, 1)],
    ["::1", LOOPBACK],
  ] as const
) {
  libcTest(
    `datagrams to a socket of the runtime that nobody reads are counted: ${hostname}`,
    async (libc) => {
      const listen = (hostname: string) =>
        Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
      const socket = listen(hostname);
      const sender = listen(hostname);
      const { addr: to } = socket;
      assert.ok(to.transport === "udp");
      const drops = new UdpDrops(libc, { address, port: to.port });
      assert.equal(drops.dropped, 0);
      const datagram = new Uint8Array(1000);
      // More than the buffer of any socket that has the system's default.
      for (let k = 0; k < 20_000 && drops.dropped === 0; k += 100) {
        for (let i = 0; i < 100; i++) await sender.send(datagram, to);
      }
      const { dropped } = drops;
      assert.ok(dropped > 0);
      socket.close();
      sender.close();
      assert.equal(drops.dropped, dropped, "what was known last");
      drops[Symbol.dispose]();
    },
  );
}
