// The anycast addresses of a daemon at their device: there while they are
// announced, and taken in by this host all the time.
import { SystemError } from "../../ffi/errno.ts";
import type {
  AnycastAddress,
  AnycastDevice,
} from "../../ffi/tuntap/anycast_device.ts";
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { formatPrefix, type Prefix } from "../net/prefix.ts";
import { sameBytes } from "../satp/same_bytes.ts";

/**
 * How long the kernel keeps an address of which it hears no more, as where a
 * daemon is frozen, or killed together with its guard.
 */
const LIFETIME_SECONDS = 10;
/** How often it hears of it, and with it all who watch addresses. */
const RENEW_MS = 3000;

export type AnycastHandle =
  & Pick<
    AnycastDevice,
    "add" | "bringUp" | "isOwn" | "list" | "remove" | "takeIn" | "takeInNoMore"
  >
  & Disposable;

export class AnycastAddresses {
  readonly #prefixes: readonly Prefix[];
  readonly #name: string;
  readonly #device: AnycastHandle;
  readonly #logger: Logger;
  #isThere = false;
  #renewedAt = 0;
  /** Why the kernel did not do what was asked for last. */
  #told: string | undefined;

  /** @throws if the device is not there, or the kernel refuses */
  constructor(
    prefixes: readonly Prefix[],
    name: string,
    open: (name: string) => AnycastHandle,
    logger: Logger,
  ) {
    this.#prefixes = prefixes;
    this.#name = name;
    this.#logger = logger;
    try {
      using undo = new DisposableStack();
      this.#device = undo.use(open(name));
      this.#device.bringUp();
      for (const address of this.#all()) this.#device.takeIn(address);
      this.#takeAway();
      undo.move();
    } catch (cause) {
      throw new Error(
        `Cannot put ${this.text} (--anycast-address) on ${name} ` +
          `(--anycast-device): ${whyNot(cause)}`,
        { cause },
      );
    }
    if (this.#device.isOwn) {
      logger.info(`device ${name} (--anycast-device) is made for this run`);
    }
  }

  /** Whether the kernel has done what was asked for last. */
  get isDone(): boolean {
    return this.#told === undefined;
  }

  get text(): string {
    return this.#prefixes.map(formatPrefix).join(", ");
  }

  /** @param isThere Whether they are to be at the device from now on */
  set(isThere: boolean): void {
    this.#isThere = isThere;
    this.#apply();
  }

  /**
   * From time to time: the kernel is to keep them, others may have changed them,
   * or the device was made anew.
   * @param now Milliseconds
   */
  keep(now: number): void {
    const isDue = this.#isThere && now - this.#renewedAt >= RENEW_MS;
    if (isDue) this.#renewedAt = now;
    if (isDue || !this.#isRight()) this.#apply();
    for (const address of this.#all()) {
      this.#attempt(() => this.#device.takeIn(address));
    }
  }

  close(): void {
    this.set(false);
    for (const address of this.#all()) {
      this.#attempt(() => this.#device.takeInNoMore(address));
    }
    this.#device[Symbol.dispose]();
  }

  /** Until this member is fit: whoever has put them there. */
  #takeAway(): void {
    const found = this.#device.list();
    for (const { address: { bytes, family } } of this.#prefixes) {
      for (const { address, isHere, length } of found) {
        if (!sameBytes(address, bytes)) continue;
        const text = formatPrefix({ address: { family, bytes }, length });
        if (isHere) this.#device.remove({ bytes, length });
        this.#logger.warning(
          isHere
            ? `${text} (--anycast-address) was on ${this.#name} already, left ` +
              "by a run that was killed or put there by hand: it is taken " +
              "away until this member is fit"
            : `${text} (--anycast-address) is at another device as well: ` +
              "what is announced of that stays when this member is not fit",
        );
      }
    }
  }

  #isRight(): boolean {
    let isRight = false;
    this.#attempt(() => {
      const here = this.#device.list().filter(({ isHere }) => isHere);
      isRight = this.#all().every(({ bytes }) =>
        this.#isThere === here.some(({ address }) => sameBytes(address, bytes))
      );
    });
    return isRight;
  }

  #apply(): void {
    let isDone = true;
    for (const address of this.#all()) {
      isDone = this.#attempt(() => {
        if (!this.#isThere) return void this.#device.remove(address);
        this.#device.bringUp();
        this.#device.add(address, LIFETIME_SECONDS);
      }) && isDone;
    }
    if (isDone) this.#told = undefined;
  }

  #all(): readonly AnycastAddress[] {
    return this.#prefixes.map(({ address: { bytes }, length }) => {
      return { bytes, length };
    });
  }

  /** What fails is tried again, and told once. */
  #attempt(change: () => void): boolean {
    try {
      change();
      return true;
    } catch (error) {
      const reason = whyNot(error);
      if (reason !== this.#told) {
        this.#logger.error(
          `Cannot ${this.#isThere ? "announce" : "withdraw"} ${this.text} ` +
            `(--anycast-address): ${reason}`,
        );
      }
      this.#told = reason;
      return false;
    }
  }
}

function whyNot(error: unknown): string {
  const isWithoutIpv6 = error instanceof SystemError && error.code === "EACCES";
  return isWithoutIpv6
    ? "IPv6 is disabled here (sysctl net.ipv6.conf.*.disable_ipv6)"
    : reasonOf(error);
}
