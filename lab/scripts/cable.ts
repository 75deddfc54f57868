/**
 * A cable between two devices of its own: what goes into the one comes out of
 * the other, unless it is harmed on its way. Runs on a host of a lab, as a
 * script: `<device> <other device> <tun or tap> <harm>`, the harm a
 * {@link Harm} as JSON; says `joined` when both devices are there.
 *
 * The kernel's own way to do this, netem, is not everywhere.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  type DeviceType,
  openTunTap,
  type TunTap,
} from "../../ffi/tuntap/mod.ts";
import { payloadOf, withoutChecksum } from "../frames.ts";
import { say } from "./say.ts";

/**
 * What befalls packets. Shares are from 0 to 1; those of loss and its like
 * befall what comes out of the first device only.
 */
export interface Harm {
  /** How long either way takes, and by how much that varies. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
  /** Longer packets vanish. */
  readonly mtu?: number;
  readonly loss?: number;
  readonly duplication?: number;
  /** Packets that some others overtake. */
  readonly reordering?: number;
  /** Datagrams with one wrong bit that UDP does not notice. */
  readonly corruption?: number;
}

const PACKET_BYTES = 65_536;

const ETHERNET_BYTES = 14;

/** How late a packet is that others overtake. */
const OVERTAKEN_MS = 2;

/** The same fate for whoever is tested, each time (mulberry32). */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

class Way {
  readonly #harm: Harm;
  readonly #random = randomNumbers(1);
  readonly #from: TunTap;
  readonly #to: TunTap;
  readonly #linkBytes: number;

  constructor(from: TunTap, to: TunTap, harm: Harm) {
    this.#from = from;
    this.#to = to;
    this.#harm = harm;
    this.#linkBytes = from.type === "tap" ? ETHERNET_BYTES : 0;
  }

  async carry(): Promise<void> {
    const packet = new Uint8Array(PACKET_BYTES);
    while (await this.#from.readable()) {
      for (let size; (size = this.#from.read(packet)) > 0;) {
        this.#pass(packet.subarray(0, size));
      }
    }
  }

  #pass(packet: Uint8Array<ArrayBuffer>): void {
    const { delayMs = 0, jitterMs = 0, mtu = Infinity } = this.#harm;
    const { loss, duplication, reordering, corruption } = this.#harm;
    if (packet.length - this.#linkBytes > mtu) return;
    if (this.#befalls(loss)) return;
    if (this.#befalls(corruption)) this.#corrupt(packet);
    const spread = jitterMs * (2 * this.#random() - 1);
    const late = this.#befalls(reordering) ? OVERTAKEN_MS : 0;
    const times = this.#befalls(duplication) ? 2 : 1;
    for (let k = 0; k < times; k++) this.#send(packet, delayMs + spread + late);
  }

  #befalls(share: number | undefined): boolean {
    return share !== undefined && this.#random() < share;
  }

  #send(packet: Uint8Array<ArrayBuffer>, ms: number): void {
    if (ms === 0) return void this.#to.write(packet);
    const copy = packet.slice();
    void delay(ms).then(() => this.#to.write(copy));
  }

  #corrupt(frame: Uint8Array): void {
    const payload = payloadOf(frame)?.payload;
    if (payload === undefined) return;
    const at = Math.floor(this.#random() * payload.length);
    const bit = 1 << Math.floor(this.#random() * 8);
    payload[at] = (payload[at] ?? 0) ^ bit;
    withoutChecksum(frame);
  }
}

if (import.meta.main) {
  const [name = "", otherName = "", kind, harmText = "{}"] = Deno.args;
  const type: DeviceType = kind === "tap" ? "tap" : "tun";
  const harm: Harm = JSON.parse(harmText);
  const { delayMs = 0 } = harm;
  using device = openTunTap({ name, type });
  using other = openTunTap({ name: otherName, type });
  say("joined");
  await Promise.all([
    new Way(device, other, harm).carry(),
    new Way(other, device, { delayMs }).carry(),
  ]);
}
