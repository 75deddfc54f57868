import { strict as assert } from "node:assert";
import {
  ACK,
  concat,
  edited,
  internetSum,
  layoutOf,
  pseudoHeader,
  SYN,
  tcpPacket,
} from "../../../lab/packets.ts";
import { createSatpCodec } from "../../../mod.ts";
import { PlaneCounter } from "../../../src/tunnel/counters.ts";
import { LiveSettings } from "../../../src/tunnel/live_settings.ts";
import { MSS_RANGE } from "../../../src/tunnel/settings.ts";
import { planeOptions, planeTest } from "../../fakes/plane_rigs.ts";
import { usualVector } from "../../vectors/satp.ts";

const MUX = 3;
const VECTOR = usualVector("segments");

function syn(version: 4 | 6, mss: number, flags = SYN): Uint8Array {
  const options = [2, 4, mss >> 8, mss & 255];
  return tcpPacket({ version }, { flags, options });
}

function mssOf(packet: Uint8Array | undefined): number {
  assert.ok(packet !== undefined);
  const { transport } = layoutOf(packet);
  const body = packet.subarray(transport);
  assert.equal(internetSum(concat(pseudoHeader(packet), body)), 0xffff);
  return (packet[transport + 22] ?? 0) << 8 | (packet[transport + 23] ?? 0);
}

planeTest(
  "the MSS is lowered on both ways, to what fits just now",
  async (rig) => {
    const { passphrase } = VECTOR;
    const live = new LiveSettings();
    const changes = { mux: MUX, remote: "home", windowSize: 64, live } as const;
    await using plane = await rig.start(await planeOptions(VECTOR, changes));
    const peer = await createSatpCodec({ passphrase, role: "right", mux: MUX });
    let seq = 0;
    const out = async (packet: Uint8Array) => {
      const [sent] = await plane.send([packet]);
      assert.ok(sent);
      return (await peer.open(sent.datagram)).payload;
    };
    const back = async (payload: Uint8Array, payloadType: number) => {
      const datagram = await peer.seal({ seq: seq++, payloadType, payload });
      return (await plane.receive([datagram], "home"))[0];
    };
    const assertBounds = async (ipv4: number, ipv6: number) => {
      assert.equal(mssOf(await out(syn(4, 9000))), ipv4);
      assert.equal(mssOf(await out(syn(6, 9000, SYN | ACK))), ipv6);
      assert.equal(mssOf(await back(syn(4, 9000, SYN | ACK), 0x0800)), ipv4);
      assert.equal(mssOf(await back(syn(6, 9000), 0x86dd)), ipv6);
    };
    await assertBounds(9000, 9000);
    assert.equal(plane.planeCounter(PlaneCounter.MSS_LOWERED), 0);

    // Datagrams of 1600 bytes, of which 20 are not the packet's.
    live.mss = "auto";
    await assertBounds(1580 - 40, 1580 - 60);
    assert.equal(plane.planeCounter(PlaneCounter.MSS_LOWERED), 4);
    live.deviceMtu = 1400;
    await assertBounds(1360, 1340);
    live.mss = 1350;
    await assertBounds(1350, 1340);

    // Of the path's bytes 28 are headers of IPv4 and UDP.
    plane.table.endpoints.setPathMtu(MUX, 1300);
    await assertBounds(1300 - 28 - 20 - 40, 1300 - 28 - 20 - 60);
    plane.table.endpoints.setPathMtu(MUX, 100);
    const { least } = MSS_RANGE;
    await assertBounds(least, least);
    plane.table.endpoints.setPathMtu(MUX, 0);
    await assertBounds(1350, 1340);

    const small = syn(4, 1350);
    assert.deepEqual(await out(small), small);
    const noSyn = edited(syn(4, 9000), 33, ACK);
    assert.deepEqual(await out(noSyn), noSyn);
    live.mss = "off";
    await assertBounds(9000, 9000);
  },
);
