/**
 * What the daemon does at a signal (CLI section 5).
 *
 * @module
 */
import type { Logger } from "../log/logger.ts";

/** Signals that end the daemon or tell it something. */
export type SignalName = keyof typeof TEXTS;

/** In the words of the original. */
const TEXTS = {
  SIGINT: "SIG-Int caught, exiting",
  SIGQUIT: "SIG-Quit caught, exiting",
  SIGTERM: "SIG-Term caught, exiting",
  SIGHUP: "SIG-Hup caught",
  SIGUSR2: "SIG-Usr2 caught",
} as const;

/** What is done at signals that do not end the daemon. */
export interface SignalActions {
  /** SIGHUP: read again what can be read again. */
  reload(): void;
  /** SIGUSR2: say how it goes, into new log files. */
  report(): void;
}

/** Listens for a signal; the result ends the listening. */
export type OnSignal = (name: SignalName, listener: () => void) => () => void;

/**
 * Listens for all signals.
 *
 * @param cleanup Ends the listening
 * @returns Is aborted by the signals that end the daemon
 */
export function listenForSignals(
  onSignal: OnSignal,
  logger: Logger,
  actions: SignalActions,
  cleanup: DisposableStack,
): AbortSignal {
  const stop = new AbortController();
  const listen = (name: SignalName, action: () => void): void => {
    const end = onSignal(name, () => {
      logger.notice(TEXTS[name]);
      action();
    });
    cleanup.defer(end);
  };
  for (const name of ["SIGINT", "SIGQUIT", "SIGTERM"] as const) {
    listen(name, () => stop.abort());
  }
  listen("SIGHUP", () => actions.reload());
  listen("SIGUSR2", () => actions.report());
  return stop.signal;
}
