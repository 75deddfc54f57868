// Life of a daemon: services that start, run and stop in order.
import type { Logger, LogLine } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { aborted } from "./stop.ts";

export interface Starting {
  /** Aborted when the start is over before its end. */
  readonly stop: AbortSignal;
  /** @param what Such as `an address of 'host'` */
  waiting(what: string): void;
  /** For work that fails before {@linkcode Service.run}. */
  fail(error: unknown): void;
}

/** @typeParam O The options of the daemon, for those that can change */
export interface Service<O = unknown> {
  readonly name: string;
  /** Later services start after it. */
  start?(starting: Starting): Promise<void> | void;
  /** Open folders that it writes to once it is started. */
  folders?(): readonly number[];
  /** Paths of unix sockets that it removes at the end. */
  sockets?(): readonly string[];
  /**
   * Capabilities that it needs on after the start, in the main thread, which
   * keeps them where the daemon becomes another user.
   */
  capabilities?(): readonly number[];
  /**
   * Works until the signal is aborted. To be done before that is no failure.
   */
  run?(stop: AbortSignal): Promise<void>;
  /**
   * Options, by their keys in the table, that {@linkcode Service.reload} takes
   * over. What no service has is named as waiting for the next start.
   */
  readonly live?: readonly string[];
  /**
   * Looks at new options before any service takes them over, and changes
   * nothing. They differ from those in force in what is live alone.
   * @param undo What to do if another service is at fault, such as to close
   * what was opened
   * @throws what is at fault: then everything stays as it is, everywhere
   */
  check?(next: O, undo: DisposableStack): Promise<void> | void;
  /**
   * At a HUP: looks again at what is outside, such as names, and takes over
   * what is live.
   * @param next What is in force now: also if it could not be read, or is the
   * same
   */
  reload?(next: O): Promise<void> | void;
  /** @returns Lines for the log */
  report?(): readonly (string | LogLine)[];
  /** Told of each phase, as {@link LifecycleListener} are. */
  changed?(phase: Phase): void;
  /** Without it, a service lives as long as the event loop. */
  isAlive?(): boolean;
  /** Milliseconds that its end takes at the most, if more than a moment. */
  endTakes?(): number;
  /** Also called after a start that has failed half way. */
  close?(): Promise<void> | void;
}

export type Phase =
  /** For each service, and for what takes long in it. */
  | { readonly kind: "starting"; readonly what: string }
  | {
    readonly kind: "ready";
    /** Why the options that were read again were refused. */
    readonly refusal?: string | undefined;
  }
  | { readonly kind: "reloading" }
  /** Its end has begun, and takes so many milliseconds more than a moment. */
  | { readonly kind: "draining"; readonly takes?: number }
  | { readonly kind: "stopping" }
  /** All services have stopped. */
  | { readonly kind: "failed"; readonly reason: string };

export interface LifecycleListener {
  changed(phase: Phase): void;
}

/** What services run with; see `LiveOptions`. */
interface OptionsInForce<O> {
  renew(services: readonly Service<O>[]): Promise<O>;
  /** Why the last time nothing was taken over. */
  readonly refusal?: string | undefined;
}

interface Run {
  readonly stop: AbortController;
  readonly over: Promise<void>;
}

export class Lifecycle<O = unknown> {
  readonly #logger: Logger;
  readonly #options: OptionsInForce<O>;
  readonly #stopping = new AbortController();
  readonly #hurried = Promise.withResolvers<void>();
  #services: readonly Service<O>[] = [];
  #listeners: readonly LifecycleListener[] = [];
  #failure: { readonly error: unknown } | undefined;
  #isReady = false;
  #isToStop = false;
  readonly #started = Promise.withResolvers<void>();
  #reloading: Promise<void> = this.#started.promise;
  #isReloadDue = false;

  constructor(logger: Logger, options: OptionsInForce<O>) {
    this.#logger = logger;
    this.#options = options;
  }

  /**
   * Runs services until {@linkcode Lifecycle.stop}, until one fails, or until
   * all are done.
   * @param services In the order of their start
   * @throws the first failure, after everything is stopped
   */
  async run(
    services: readonly Service<O>[],
    listeners: readonly LifecycleListener[],
  ): Promise<void> {
    this.#services = services;
    this.#listeners = listeners;
    const started = await this.#start();
    const runs = this.#begin();
    this.#started.resolve();
    await this.#untilOver(runs);
    this.#isReady = false;
    this.#announce({ kind: "draining", takes: this.#endTakes() });
    this.#announce({ kind: "stopping" });
    await this.#stopAll(started, runs);
    if (this.#failure === undefined) return;
    const { error } = this.#failure;
    this.#announce({ kind: "failed", reason: reasonOf(error) });
    throw error;
  }

  /** At the second call, nothing is waited for any more. */
  stop(): void {
    if (this.#isToStop) this.#hurried.resolve();
    this.#isToStop = true;
    this.#stopping.abort();
  }

  /**
   * In order, and not before all have started: then they are what a reload
   * changes. Requests during a reload are served by one more, afterwards.
   */
  reload(): Promise<void> {
    if (this.#isReloadDue) return this.#reloading;
    this.#isReloadDue = true;
    return this.#reloading = this.#reloading.then(() => {
      this.#isReloadDue = false;
      return this.#reloadAll();
    });
  }

  report(): void {
    for (const service of this.#services) {
      for (const line of service.report?.() ?? []) {
        if (typeof line === "string") this.#logger.notice(line);
        else this.#logger.notice(line.text, line.fields);
      }
    }
  }

  /** @returns The name of a service that hangs, if there is one */
  hanging(): string | undefined {
    return this.#services.find((service) => service.isAlive?.() === false)
      ?.name;
  }

  #endTakes(): number {
    return this.#services.map((service) => service.endTakes?.() ?? 0)
      .reduce((sum, ms) => sum + ms, 0);
  }

  async #start(): Promise<readonly Service<O>[]> {
    const { signal: stop } = this.#stopping;
    const starting: Starting = {
      stop,
      waiting: (what) => this.#announce({ kind: "starting", what }),
      fail: (error) => this.#fail(error),
    };
    const started: Service<O>[] = [];
    for (const service of this.#services) {
      if (stop.aborted) break;
      started.push(service);
      if (service.start === undefined) continue;
      starting.waiting(service.name);
      await this.#unlessHurried(() => service.start?.(starting));
    }
    return started;
  }

  #begin(): ReadonlyMap<Service<O>, Run> {
    const runs = new Map<Service<O>, Run>();
    if (this.#stopping.signal.aborted) return runs;
    this.#isReady = true;
    this.#announce({ kind: "ready" });
    for (const service of this.#services) {
      if (service.run === undefined) continue;
      const stop = new AbortController();
      const over = this.#attempt(() => service.run?.(stop.signal));
      runs.set(service, { stop, over });
    }
    return runs;
  }

  async #untilOver(runs: ReadonlyMap<Service<O>, Run>): Promise<void> {
    const over = [...runs.values()].map((run) => run.over);
    await Promise.race([
      Promise.all(over),
      aborted(this.#stopping.signal),
    ]);
  }

  async #stopAll(
    started: readonly Service<O>[],
    runs: ReadonlyMap<Service<O>, Run>,
  ): Promise<void> {
    for (const service of started.toReversed()) {
      const run = runs.get(service);
      run?.stop.abort();
      await this.#unlessHurried(() => run?.over);
      await this.#unlessHurried(() => service.close?.());
    }
  }

  async #reloadAll(): Promise<void> {
    if (!this.#isReady) return;
    this.#announce({ kind: "reloading" });
    const options = await this.#options.renew(this.#services);
    for (const service of this.#services) {
      // Names may have taken their time.
      if (this.#stopping.signal.aborted) return;
      try {
        await service.reload?.(options);
      } catch (error) {
        const reason = reasonOf(error);
        this.#logger.error(`Cannot reload the ${service.name}: ${reason}`);
      }
    }
    if (!this.#isReady) return;
    const { refusal } = this.#options;
    this.#announce({ kind: "ready", refusal });
  }

  async #unlessHurried(work: () => Promise<void> | void): Promise<void> {
    await Promise.race([this.#attempt(work), this.#hurried.promise]);
  }

  async #attempt(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stopping.abort();
  }

  #announce(phase: Phase): void {
    for (const listener of this.#listeners) listener.changed(phase);
    for (const service of this.#services) service.changed?.(phase);
  }
}
