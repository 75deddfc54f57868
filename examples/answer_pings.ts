/**
 * A network of 254 hosts that answer pings, for Linux and as root:
 *
 *     deno run --allow-ffi examples/answer_pings.ts &
 *     ping 198.51.100.7
 *
 * @module
 */
import { openTunTap } from "@anytun/anytun/tuntap";

/** Makes an echo request its own reply, or says that it is none (RFC 792). */
function answer(packet: Uint8Array): boolean {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const icmp = (view.getUint8(0) & 15) * 4;
  const isIpv4 = view.getUint8(0) >> 4 === 4;
  if (!isIpv4 || view.getUint8(9) !== 1 || view.getUint8(icmp) !== 8) {
    return false;
  }
  const source = packet.slice(12, 16);
  packet.copyWithin(12, 16, 20);
  packet.set(source, 16);
  view.setUint8(icmp, 0);
  // The checksum follows the only sum that has changed (RFC 1624).
  const sum = view.getUint16(icmp + 2) + 0x0800;
  view.setUint16(icmp + 2, (sum & 0xffff) + (sum >> 16));
  return true;
}

using device = openTunTap({ name: "pings%d" });
device.configure({ addresses: ["198.51.100.1/24"], mtu: 1400, up: true });
const buffer = new Uint8Array(65536);
while (await device.readable()) {
  for (let size; (size = device.read(buffer)) > 0;) {
    const packet = buffer.subarray(0, size);
    if (answer(packet)) device.write(packet);
  }
}
