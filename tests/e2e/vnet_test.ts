import assert from "node:assert/strict";
import { Offload } from "../../ffi/tuntap/vnet.ts";
import type { DeviceLab } from "../../lab/device_lab.ts";
import { deviceTest as test } from "../../lab/test_case.ts";
import { missingCommand } from "../../lab/missing.ts";
import type { VnetReport, VnetTask } from "../../lab/scripts/mirror.ts";

// include/uapi/linux/virtio_net.h, RFC 1700
const NEEDS_CSUM = 1;
const GSO_NONE = 0;
const GSO_TCPV4 = 1;
const GSO_UDP_L4 = 5;
const TCP = 6;
const UDP = 17;

/** IPv4 and UDP header. */
const UDP_HEADERS = 28;

const STREAM_BYTES = 4 << 20;
const RUN = [1000, 1000, 1000, 17].map((size) =>
  crypto.getRandomValues(new Uint8Array(size)).toHex()
);

async function mirrored(lab: DeviceLab, offloads: number): Promise<VnetReport> {
  const task: VnetTask = { offloads, run: RUN, streamBytes: STREAM_BYTES };
  const text = await lab.script("mirror.ts", JSON.stringify(task));
  const report: VnetReport = JSON.parse(text);
  assert.deepEqual(report.datagrams, RUN);
  assert.equal(report.streamBytes, STREAM_BYTES);
  assert.equal(report.streamIsIntact, true);
  return report;
}

test("without offloads every packet is whole", async (lab) => {
  const { granted, seen } = await mirrored(lab, 0);
  assert.equal(granted, 0);
  for (const { size, flags, gsoType, gsoSize } of seen) {
    assert.deepEqual({ flags, gsoType, gsoSize }, {
      flags: 0,
      gsoType: GSO_NONE,
      gsoSize: 0,
    });
    assert.ok(size <= 1400);
  }
  const datagrams = seen.filter(({ protocol }) => protocol === UDP);
  assert.deepEqual(
    datagrams.map(({ size }) => size),
    [1000, 1000, 1000, 17].map((size) => size + UDP_HEADERS),
  );
});

test("with TSO a TCP stream passes in super-packets", async (lab) => {
  const wanted = Offload.CSUM | Offload.TSO4 | Offload.TSO6;
  const { granted, seen } = await mirrored(lab, wanted);
  assert.equal(granted, wanted);
  const large = seen.filter(({ size }) => size > 1400);
  assert.ok(large.length > 0);
  for (const { protocol, flags, gsoType, gsoSize } of large) {
    assert.equal(protocol, TCP);
    assert.equal(flags & NEEDS_CSUM, NEEDS_CSUM);
    assert.equal(gsoType, GSO_TCPV4);
    assert.ok(gsoSize > 1000 && gsoSize <= 1360);
  }
});

test("with USO a run of datagrams passes as one packet", async (lab) => {
  const wanted = Offload.CSUM | Offload.TSO4 | Offload.TSO6 |
    Offload.USO4 | Offload.USO6;
  const { granted, seen } = await mirrored(lab, wanted);
  if (granted !== wanted) {
    // Linux before 6.2: USO, and nothing else, is given up.
    assert.equal(granted, Offload.CSUM | Offload.TSO4 | Offload.TSO6);
    return;
  }
  assert.deepEqual(seen.filter(({ protocol }) => protocol === UDP), [{
    protocol: UDP,
    size: 3017 + UDP_HEADERS,
    flags: NEEDS_CSUM,
    gsoType: GSO_UDP_L4,
    gsoSize: 1000,
  }]);
});

test("close() leaves a persistent device without offloads", async (lab) => {
  await lab.ip("tuntap", "add", "tun0", "mode", "tun");
  await mirrored(lab, Offload.CSUM | Offload.TSO4 | Offload.TSO6);
  const features = await lab.exec("ethtool", "-k", "tun0");
  assert.match(features, /^tcp-segmentation-offload: off/m);
}, missingCommand("ethtool"));
