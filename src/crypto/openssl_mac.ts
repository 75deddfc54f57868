// HMAC-SHA1 of many messages, by libcrypto or side by side, whichever is faster
// on this processor.
import type { HmacSha1 } from "../../ffi/crypto/openssl.ts";
import type { Mac } from "../satp/engine.ts";
import type { HmacLanes } from "./hmac_lanes.ts";
import { Trial } from "./trial.ts";

/** Enough for a clock to tell how long they took. */
const MEASURABLE = 32;

/** What a message costs beside its bytes: three blocks. */
const EXTRA_BYTES = 192;

export class OpensslMac implements Mac {
  readonly #single: HmacSha1;
  readonly #lanes: HmacLanes;
  readonly #trial: Trial;
  #bytes = 0;

  /** @param now A clock that never goes back */
  constructor(single: HmacSha1, lanes: HmacLanes, now: () => number) {
    this.#single = single;
    this.#lanes = lanes;
    this.#trial = new Trial(now);
  }

  /** What was left of another batch is forgotten. */
  begin(): void {
    this.#bytes = 0;
    this.#lanes.begin();
  }

  run(keyAt: number, at: number, size: number, macAt: number): void {
    if (this.#lanes.isFull) this.flush();
    this.#bytes += size + EXTRA_BYTES;
    this.#lanes.run(keyAt, at, size, macAt);
  }

  flush(): void {
    const isMeasured = this.#lanes.count >= MEASURABLE;
    const way = isMeasured ? this.#trial.begin() : this.#trial.best;
    if (way === "first") this.#lanes.flushTo(this.#single);
    else this.#lanes.flush(this.#single);
    if (isMeasured) this.#trial.end(this.#bytes);
    this.#bytes = 0;
  }
}
