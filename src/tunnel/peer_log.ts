// Log lines of what becomes of the peers.
import type { LogFields, Logger } from "../log/logger.ts";
import type { LevelName } from "../log/level.ts";
import { RateLimitedLog } from "../log/rate_limited_log.ts";
import { Cause, CAUSE_WORDS, SEND_REMEDIES } from "./causes.ts";
import type { PeerChange, PeerNews } from "./peer_watch.ts";

/** Lines of one kind about one peer: a handful, then one in ten seconds. */
const LIMIT = { burst: 5, perSecond: 0.1 };

/** In lines of JSON, as the field `event`. */
const EVENTS: Readonly<Record<PeerChange, string>> = {
  heard: "heard",
  again: "heard-again",
  moved: "moved",
  silent: "silent",
  unanswered: "silent",
};

export class PeerLog {
  readonly #log: RateLimitedLog;

  /** @param now Milliseconds of a monotonic clock */
  constructor(logger: Logger, now: () => number) {
    this.#log = new RateLimitedLog(logger, LIMIT, now);
  }

  tell(news: PeerNews): void {
    const { change, mux, remote } = news;
    const fields: LogFields = {
      event: EVENTS[change],
      cause: change === "unanswered" ? Cause.PEER_SILENT : undefined,
      mux,
      endpoint: remote,
      silentSeconds: secondsOf(news),
    };
    const line = () => ({ text: textOf(news), fields });
    this.#log.write(levelOf(news), EVENTS[change], line, mux);
  }

  /** The host of a peer that does not answer says that it is not there. */
  refused({ mux, remote }: PeerNews): void {
    const cause = Cause.REFUSED;
    this.#log.write("warning", cause, () => ({
      text: `connection ${mux} ${CAUSE_WORDS["send-failed"]} ${remote}: ${
        SEND_REMEDIES[cause]
      }`,
      fields: { cause, mux, endpoint: remote },
    }), mux);
  }

  flush(): void {
    this.#log.flush();
  }
}

// A tunnel that nobody uses is silent, too: that is no news to an operator.
function levelOf({ change, wasUnanswered }: PeerNews): LevelName {
  if (change === "silent") return "info";
  return change === "again" && !wasUnanswered ? "info" : "notice";
}

function secondsOf({ silence }: PeerNews): number | undefined {
  return silence === undefined ? undefined : Math.round(silence / 1000);
}

function textOf(news: PeerNews): string {
  const { change, mux, remote = "its unknown peer", before } = news;
  const connection = `connection ${mux}`;
  const seconds = secondsOf(news);
  switch (change) {
    case "heard":
      if (before === remote) {
        return `${connection} is heard for the first time, from ${remote}`;
      }
      return before === undefined
        ? `${connection} is heard for the first time: autodetected remote ` +
          `host ${remote}`
        : `${connection} is heard for the first time, and not from ${before}: ` +
          `autodetected remote host ip changed ${remote}`;
    case "moved":
      return `${connection} autodetected remote host ip changed ${remote}`;
    case "again":
      return `${connection} is heard again after ${seconds} s, from ${remote}`;
    case "silent":
      return `${connection} is silent for ${seconds} s; it was at ${remote}`;
    case "unanswered":
      return `${connection}: ${CAUSE_WORDS["peer-silent"]} from ${remote} ` +
        (seconds === undefined ? "so far" : `for ${seconds} s`) +
        ", although datagrams are sent there: is the peer running, is that " +
        "its address and port (--remote-host, --remote-port), and does each " +
        "firewall let UDP through?";
  }
}
