import assert from "node:assert/strict";
import { setEcn } from "../../../src/offload/traffic_class.ts";
import { createSatpCodec } from "../../../mod.ts";
import { ConnectionCounter } from "../../../src/tunnel/counters.ts";
import { LiveSettings } from "../../../src/tunnel/live_settings.ts";
import { udpPacket } from "../../../lab/packets.ts";
import { NativeRig } from "../../fakes/native_rig.ts";
import { whyNoUdpOffload } from "../../fakes/native_rig_peer.ts";
import { until } from "../../../lab/until.ts";
import { paramsOf, secretsOf, usualVector } from "../../vectors/satp.ts";
import { testUnless } from "../../../lab/test_unless.ts";

const VECTOR = usualVector("classes");
const [ECT_0, CE, EXPEDITED] = [2, 3, 0xb8];
const VERSIONS = [[4, 0x0800], [6, 0x86dd]] as const;

function packet(version: 4 | 6, ecn: number): Uint8Array {
  const bytes = udpPacket({ version }, { payload: new Uint8Array(300) });
  setEcn(bytes, 0, ecn);
  return bytes;
}

/** DSCP in a packet that is not asked for its checksum. */
function expedited(): Uint8Array {
  const bytes = packet(6, ECT_0);
  bytes.set([0x60 | EXPEDITED >>> 4, EXPEDITED << 4 & 0xf0 | ECT_0 << 4]);
  return bytes;
}

for (const gro of [false, true]) {
  testUnless(
    [whyNoUdpOffload()],
    "marks of congestion go from the datagrams to the packets inside, " +
      (gro ? "joined by the kernel" : "one by one"),
    async () => {
      const live = new LiveSettings();
      await using plane = await NativeRig.start({
        ...{ engine: "builtin", workers: 1, gro, gso: true, classes: true },
        ...{ role: "left", secrets: await secretsOf(VECTOR), windowSize: 64 },
        ...{ params: paramsOf(VECTOR), remote: "home", live },
      });
      const { passphrase } = VECTOR;
      const peer = await createSatpCodec({ passphrase, role: "right", mux: 0 });
      let seq = 0;
      const back = async (
        version: 4 | 6,
        type: number,
        ecn: number,
        outer: number,
      ) => {
        const payload = packet(version, ecn);
        const seal = () =>
          peer.seal({ seq: seq++, payloadType: type, payload });
        const run = [await seal(), await seal(), await seal()];
        return await plane.receiveJoined([run], "home", outer);
      };
      const congested = () =>
        plane.table.counters.of(0)[ConnectionCounter.CONGESTED] ?? 0;
      for (const [version, type] of VERSIONS) {
        live.ecn = false;
        const plain = packet(version, ECT_0);
        assert.deepEqual(await back(version, type, ECT_0, CE), [
          plain,
          plain,
          plain,
        ]);
        live.ecn = true;
        const told = packet(version, CE);
        assert.deepEqual(await back(version, type, ECT_0, CE), [
          told,
          told,
          told,
        ]);
        const before = congested();
        assert.deepEqual(await back(version, type, 0, CE), []);
        assert.equal(congested() - before, 3);
        const none = packet(version, 0);
        assert.deepEqual(await back(version, type, 0, EXPEDITED), [
          none,
          none,
          none,
        ]);
      }
    },
  );
}

testUnless(
  [whyNoUdpOffload()],
  "datagrams have the class of the packets inside, from the next batch on",
  async () => {
    const live = new LiveSettings();
    await using plane = await NativeRig.start({
      ...{ engine: "builtin", workers: 1, gso: true },
      ...{ role: "left", secrets: await secretsOf(VECTOR), windowSize: 64 },
      ...{ params: paramsOf(VECTOR), remote: "home", live },
    });
    const sent = async () => {
      plane.classes.length = 0;
      await plane.send([expedited(), packet(4, 1), packet(4, 0)]);
      return plane.classes.toSorted();
    };
    assert.deepEqual(await sent(), [0, 0, 0]);
    live.dscp = "copy";
    assert.deepEqual(await sent(), [0, 0, EXPEDITED]);
    live.ecn = true;
    assert.deepEqual(await sent(), [0, 1, EXPEDITED | ECT_0]);
    live.dscp = 8;
    assert.deepEqual(await sent(), [32, 32 | 1, 32 | ECT_0]);
    live.ecn = false;
    assert.deepEqual(await sent(), [32, 32, 32]);
    live.dscp = "copy";
    await plane.send([expedited()]);
    live.dscp = 8;
    plane.classes.length = 0;
    plane.table.due.add([0]);
    plane.sendDue();
    await until(
      "a keep-alive is sent",
      60,
      () => plane.outcome().sent.length > 0 && plane.classes.length > 0,
    );
    assert.deepEqual(plane.classes, [32], "without a packet inside");
  },
);
