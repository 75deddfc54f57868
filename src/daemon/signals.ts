// The signals of a daemon (CLI section 5).
import type { Logger } from "../log/logger.ts";

export type SignalName = keyof typeof TEXTS;

/** In the words of the original. */
const TEXTS = {
  SIGINT: "SIG-Int caught, exiting",
  SIGQUIT: "SIG-Quit caught, exiting",
  SIGTERM: "SIG-Term caught, exiting",
  SIGHUP: "SIG-Hup caught",
  SIGUSR2: "SIG-Usr2 caught",
} as const;

interface SignalActions {
  stop(): void;
  reload(): void;
  report(): void;
}

/** Listens for a signal; the result ends the listening. */
export type OnSignal = (name: SignalName, listener: () => void) => () => void;

export function listenForSignals(
  onSignal: OnSignal,
  logger: Logger,
  actions: SignalActions,
  cleanup: DisposableStack,
): void {
  const listen = (name: SignalName, action: () => void): void => {
    const end = onSignal(name, () => {
      logger.notice(TEXTS[name]);
      action();
    });
    cleanup.defer(end);
  };
  for (const name of ["SIGINT", "SIGQUIT", "SIGTERM"] as const) {
    listen(name, () => actions.stop());
  }
  listen("SIGHUP", () => actions.reload());
  listen("SIGUSR2", () => actions.report());
}
