/**
 * A cable that takes its time, of two TUN devices: what goes into the one comes
 * out of the other some milliseconds later. Runs on a host of a lab, as a
 * script: `<device> <other device> <milliseconds>`; says `joined` when both
 * devices are there. The test moves the other one to the other host.
 *
 * The kernel's own way to do this, netem, is not everywhere.
 */
import { setTimeout as delay } from "node:timers/promises";
import { openTunTap, type TunTap } from "../../ffi/tuntap/mod.ts";
import { say } from "./say.ts";

const PACKET_BYTES = 65_536;

async function carry(from: TunTap, to: TunTap, ms: number): Promise<void> {
  const packet = new Uint8Array(PACKET_BYTES);
  while (await from.readable()) {
    for (let size; (size = from.read(packet)) > 0;) {
      const copy = packet.slice(0, size);
      void delay(ms).then(() => to.write(copy));
    }
  }
}

if (import.meta.main) {
  const [name = "", otherName = "", ms] = Deno.args;
  using device = openTunTap({ name });
  using other = openTunTap({ name: otherName });
  say("joined");
  await Promise.all([
    carry(device, other, Number(ms)),
    carry(other, device, Number(ms)),
  ]);
}
