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

/** At the device, or whether this host takes them. */
type Change = "address" | "route";

export class AnycastAddresses {
  readonly #prefixes: readonly Prefix[];
  readonly #name: string;
  readonly #device: AnycastHandle;
  readonly #logger: Logger;
  #isThere = false;
  #renewedAt = 0;
  /** Whether the kernel has done what was asked for last. */
  #isDone = true;
  /** Why it does not, as far as the log has it. */
  readonly #told = new Map<Change, string>();

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
          `(--anycast-device): ${reasonFor(cause)}`,
        { cause },
      );
    }
    if (this.#device.isOwn) {
      logger.info(`device ${name} (--anycast-device) is made for this run`);
    }
  }

  /** Whether others can see them: also what the kernel did not take away. */
  get isSeen(): boolean {
    return this.#isThere === this.#isDone;
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
    else this.#isDone = true;
    this.#attempt("route", (address) => this.#device.takeIn(address));
  }

  close(): void {
    this.set(false);
    this.#attempt("route", (address) => this.#device.takeInNoMore(address));
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
    try {
      const here = this.#device.list().filter(({ isHere }) => isHere);
      return this.#all().every(({ bytes }) =>
        this.#isThere === here.some(({ address }) => sameBytes(address, bytes))
      );
    } catch {
      // What is done instead meets the same fault, or none.
      return false;
    }
  }

  #apply(): void {
    this.#isDone = this.#attempt("address", (address) => {
      if (!this.#isThere) return void this.#device.remove(address);
      this.#device.bringUp();
      this.#device.add(address, LIFETIME_SECONDS);
    });
  }

  #all(): readonly AnycastAddress[] {
    return this.#prefixes.map(({ address: { bytes }, length }) => {
      return { bytes, length };
    });
  }

  /**
   * With each address. What fails is tried again, and told once.
   * @returns Whether nothing has failed
   */
  #attempt(kind: Change, change: (address: AnycastAddress) => void): boolean {
    const faults = this.#all().flatMap((address) => {
      try {
        change(address);
        return [];
      } catch (error) {
        return [reasonFor(error)];
      }
    });
    const [fault] = faults;
    if (fault === undefined) this.#told.delete(kind);
    else this.#tell(kind, fault);
    return fault === undefined;
  }

  #tell(kind: Change, fault: string): void {
    if (this.#told.get(kind) === fault) return;
    this.#told.set(kind, fault);
    const what = kind === "route"
      ? "have this host take in"
      : this.#isThere
      ? "announce"
      : "withdraw";
    this.#logger.error(
      `Cannot ${what} ${this.text} (--anycast-address): ${fault}`,
    );
  }
}

function reasonFor(error: unknown): string {
  const isWithoutIpv6 = error instanceof SystemError && error.code === "EACCES";
  return isWithoutIpv6
    ? "IPv6 is disabled here (sysctl net.ipv6.conf.*.disable_ipv6)"
    : reasonOf(error);
}
