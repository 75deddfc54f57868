// Drops of the kernel, where the plane was not there in time: of datagrams that
// had come, and of packets for the peers. The plane never saw them, and a loss that
// nobody counts is looked for elsewhere.
import { SystemError } from "../../ffi/errno.ts";
import { count, PlaneCounter } from "./counters.ts";

/** See `UdpSocket`. */
interface Droppable {
  readonly dropped: number;
}

/** See `TunTapDevice.openDrops()`. */
interface DeviceDrops extends Disposable {
  readonly count: number;
}

interface Ends {
  readonly sockets: readonly Droppable[];
  readonly device: { openDrops(): DeviceDrops };
}

export class KernelDrops implements Disposable {
  readonly #sockets: readonly Droppable[];
  readonly #device: DeviceDrops | undefined;
  /** Of each socket, modulo 2^32. */
  readonly #seen: number[];
  #received = 0;
  #read = 0;
  #isOpen = true;

  /** To be opened ahead of a sandbox, and disposed of before the ends are. */
  constructor({ sockets, device }: Ends) {
    this.#sockets = sockets;
    this.#seen = sockets.map(({ dropped }) => dropped);
    this.#device = openDrops(device);
  }

  addTo(counters: Float64Array): Float64Array {
    this.#look();
    count(counters, PlaneCounter.RECEIVE_DROPPED, this.#received);
    count(counters, PlaneCounter.DEVICE_DROPPED, this.#read);
    return counters;
  }

  [Symbol.dispose](): void {
    // The descriptors may be those of other files soon.
    this.#look();
    this.#isOpen = false;
    this.#device?.[Symbol.dispose]();
  }

  #look(): void {
    if (!this.#isOpen) return;
    this.#sockets.forEach(({ dropped }, k) => {
      this.#received += (dropped - (this.#seen[k] ?? 0)) >>> 0;
      this.#seen[k] = dropped;
    });
    this.#read = this.#device?.count ?? 0;
  }
}

/** Without it less is known. */
function openDrops(device: Ends["device"]): DeviceDrops | undefined {
  try {
    return device.openDrops();
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
