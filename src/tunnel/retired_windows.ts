// Replay windows of keys that are out of use. Keys may come back, and what was
// received under them before must not be delivered again.
import type { ReplayWindow } from "../satp/replay_window.ts";

/**
 * So many bytes of windows are kept, roughly. The ones that were retired first
 * are forgotten first, and recordings made under their keys are new again if
 * those come back. Nobody but a peer can fill this: a window that has accepted
 * nothing is not kept.
 */
const MAX_BYTES = 16 << 20;

/** What a window takes besides its senders. */
const OVERHEAD_BYTES = 128;

interface Retired {
  readonly window: ReplayWindow;
  readonly bytes: number;
}

export class RetiredWindows {
  // A map keeps the order in which its keys were put in.
  readonly #windows = new Map<string, Retired>();
  #bytes = 0;

  /**
   * @param fingerprint Of the keys, see `NumberSpaces.fingerprint`
   * @param isInWork Whether it may accept something yet
   */
  keep(
    mux: number,
    fingerprint: number,
    window: ReplayWindow,
    isInWork = false,
  ): void {
    this.take(mux, fingerprint)?.clear();
    if (window.senders === 0 && !isInWork) return;
    const bytes = OVERHEAD_BYTES + window.bytes;
    this.#windows.set(nameOf(mux, fingerprint), { window, bytes });
    this.#bytes += bytes;
    for (const [name, oldest] of this.#windows) {
      if (this.#bytes <= MAX_BYTES || oldest.window === window) return;
      this.#windows.delete(name);
      this.#bytes -= oldest.bytes;
      oldest.window.clear();
    }
  }

  take(mux: number, fingerprint: number): ReplayWindow | undefined {
    const name = nameOf(mux, fingerprint);
    const retired = this.#windows.get(name);
    if (retired === undefined) return undefined;
    this.#windows.delete(name);
    this.#bytes -= retired.bytes;
    return retired.window;
  }
}

function nameOf(mux: number, fingerprint: number): string {
  return `${mux} ${fingerprint}`;
}
