// Announcement of this member while it is fit: an anycast address at a device
// where routing daemons look, and a script.
//
// It stands last in the list of services, so it is stopped first: what still
// comes is carried until routers have learnt of it.
import { CAP } from "../../ffi/flags.ts";
import type { AnnounceOptions } from "../config/announce.ts";
import type { AnytunOptions } from "../config/anytun.ts";
import type { Logger } from "../log/logger.ts";
import type { Every } from "../net/every.ts";
import { formatPrefix } from "../net/prefix.ts";
import { type AnnouncementReport, fitnessLine } from "../status/report.ts";
import type { AnnounceScript } from "./announce_script.ts";
import type { AnycastAddresses } from "./anycast_addresses.ts";
import { Drain, type DrainContext } from "./drain.ts";
import { BEAT_MS, type Guard } from "./guard.ts";
import type { HealthService } from "./health_service.ts";
import type { Service } from "./lifecycle.ts";
import { aborted } from "./stop.ts";

/** How often to look whether the addresses are as they should be. */
const KEEP_MS = 1000;
/** So long after a hang it is not announced: the next one may follow. */
const REST_MS = 2000;

export interface AnnouncementParts {
  readonly addresses: AnycastAddresses | undefined;
  readonly script: AnnounceScript | undefined;
  readonly guard: Guard;
}

interface AnnouncementContext extends DrainContext {
  readonly health: Pick<HealthService, "subscribe">;
  /** @throws if something is not there that it takes */
  readonly open: (cleanup: DisposableStack) => AnnouncementParts;
  readonly every: Every;
  readonly logger: Logger;
}

export class Announcement implements Service<Pick<AnytunOptions, "drainTime">> {
  readonly name = "announcement";
  readonly live = ["drainTime"];
  readonly #options: AnnounceOptions;
  readonly #context: AnnouncementContext;
  readonly #drain: Drain;
  #drainTime: number;
  #parts: AnnouncementParts | undefined;
  readonly #opened = new DisposableStack();
  #isFit = false;
  #isOver = false;
  #restsUntil = 0;
  #keptAt = 0;
  #isAnnounced = false;

  constructor(
    options: AnnounceOptions,
    drainTime: number,
    context: AnnouncementContext,
  ) {
    this.#options = options;
    this.#drainTime = drainTime;
    this.#context = context;
    this.#drain = new Drain(context);
  }

  /** As long as addresses come and go, and for the end. */
  capabilities(): readonly number[] {
    return this.#options.addresses.length > 0 ? [CAP.NET_ADMIN] : [];
  }

  /** @throws if the device is not there, or the kernel refuses */
  start(): void {
    this.#parts = this.#context.open(this.#opened);
    const { health } = this.#context;
    this.#opened.defer(health.subscribe((fitness) => {
      this.#isFit = fitness.state === "fit";
      this.#update(fitnessLine(fitness));
    }));
  }

  async run(stop: AbortSignal): Promise<void> {
    const { every } = this.#context;
    // On after the end: the guard listens as long as the daemon is there.
    const over = new AbortController();
    const beating = every(BEAT_MS, () => this.#beat(), over.signal);
    await Promise.race([beating, aborted(stop)]);
    this.#isOver = true;
    this.#update("the end");
    await this.#parts?.script?.settled();
    await this.#drain.finished();
    over.abort();
    await beating;
  }

  reload({ drainTime }: Pick<AnytunOptions, "drainTime">): void {
    this.#drainTime = drainTime;
  }

  endTakes(): number {
    const isOver = !this.#isAnnounced && this.#drain.isOver;
    return isOver ? 0 : this.#drainTime * 1000;
  }

  report(): readonly string[] {
    const state = this.#isSeen() ? "announced" : "withdrawn";
    const guard = this.#parts?.guard.state ?? "starting";
    return [`anycast: ${this.#what()} is ${state}, the guard is ${guard}`];
  }

  status(): AnnouncementReport {
    const { addresses, device = null } = this.#options;
    return {
      addresses: addresses.map(formatPrefix),
      device,
      isAnnounced: this.#isSeen(),
      isGuarded: this.#parts?.guard.isWatching ?? false,
      drainTime: this.#drainTime,
    };
  }

  close(): void {
    this.#isOver = true;
    this.#update("the end");
    this.#opened.dispose();
    this.#parts = undefined;
  }

  #beat(): void {
    const { elapsed } = this.#context;
    const now = elapsed();
    if (this.#parts?.guard.beat()) {
      this.#restsUntil = now + REST_MS;
      this.#update("it did not answer its guard");
    }
    if (this.#restsUntil !== 0 && now >= this.#restsUntil) {
      this.#restsUntil = 0;
      this.#update("it answers its guard again");
    }
    this.#parts?.script?.look();
    this.#drain.look(this.#drainTime);
    if (now - this.#keptAt < KEEP_MS) return;
    this.#keptAt = now;
    this.#parts?.addresses?.keep(now);
  }

  /** At each change of what it depends on. */
  #update(why: string): void {
    const isWanted = this.#isFit && !this.#isOver && this.#restsUntil === 0;
    if (this.#isAnnounced === isWanted) return;
    this.#isAnnounced = isWanted;
    this.#parts?.addresses?.set(isWanted);
    this.#parts?.script?.say(isWanted ? "announce" : "withdraw");
    const state = isWanted ? "announced" : "withdrawn";
    this.#context.logger.notice(`${this.#what()} is ${state}: ${why}`);
    if (isWanted) this.#drain.cancel();
    else this.#drain.begin();
  }

  /** Whether others can see it. */
  #isSeen(): boolean {
    return this.#parts?.addresses?.isSeen ?? this.#isAnnounced;
  }

  #what(): string {
    const { addresses, device } = this.#options;
    if (device === undefined) return "this member";
    return `${addresses.map(formatPrefix).join(", ")} on ${device}`;
  }
}
