// What reports say one after the other: rates of each moment.

/** Five minutes. */
const LENGTH = 150;

/** Seconds without a datagram after which a peer is called silent. */
export const SILENT_SECONDS = 60;

/** By a mux, or for `all`: a list of moments, the last one is now. */
export class History {
  #losses;
  #last;
  #tracks = new Map();
  /** Connections of a report by their mux: there may be thousands. */
  #byMux = new WeakMap();

  /** @param losses Names and texts of counters, as /losses.json has them */
  constructor(losses) {
    this.#losses = losses;
  }

  get last() {
    return this.#last;
  }

  of(choice) {
    return this.#tracks.get(choice) ?? [];
  }

  /** A daemon that was started anew has counters that begin anew. */
  add(report) {
    const last = this.#last;
    if (last !== undefined && last.pid !== report.pid) this.#tracks.clear();
    const isNext = last?.pid === report.pid && report.time > last.time;
    if (last?.pid === report.pid && !isNext) return;
    this.#last = report;
    if (!isNext) return;
    const seconds = (report.time - last.time) / 1000;
    this.#note("all", this.#momentOfAll(report, last, seconds));
    for (const connection of report.connections) {
      const choice = String(connection.mux);
      const earlier = this.#connection(last, choice);
      if (earlier === undefined) continue;
      const moment = {
        ...traffic(connection.counters, earlier.counters, seconds),
        ...this.#causes(report, last, choice, seconds),
        silence: silence(connection, report.time),
        routes: connection.routes.length,
      };
      this.#note(choice, moment);
    }
    for (const choice of this.#tracks.keys()) {
      const isGone = choice !== "all" &&
        this.#connection(report, choice) === undefined;
      if (isGone) this.#tracks.delete(choice);
    }
  }

  /** The causes of what was lost, and how much of each. */
  lossesOf(report, choice) {
    const { connection, plane } = this.#losses;
    if (choice === "all") {
      return [
        ...amounts(connection, report.totals),
        ...amounts(plane, report.counters),
      ];
    }
    const chosen = this.#connection(report, choice);
    return amounts(connection, chosen?.counters ?? {});
  }

  #connection(report, choice) {
    let byMux = this.#byMux.get(report);
    if (byMux === undefined) {
      byMux = new Map(report.connections.map((one) => [String(one.mux), one]));
      this.#byMux.set(report, byMux);
    }
    return byMux.get(choice);
  }

  #momentOfAll(report, last, seconds) {
    const silences = report.connections
      .map((one) => silence(one, report.time))
      .filter((one) => one !== undefined);
    return {
      ...traffic(report.totals, last.totals, seconds),
      ...this.#causes(report, last, "all", seconds),
      // The longest: who is looked for is the one that is not there.
      silence: silences.length === 0 ? undefined : Math.max(...silences),
      routes: sum(report.connections.map(({ routes }) => routes.length)),
    };
  }

  #causes(report, last, choice, seconds) {
    const then = this.lossesOf(last, choice);
    const rates = this.lossesOf(report, choice).map(({ text, amount }, k) => [
      text,
      Math.max(0, amount - (then[k]?.amount ?? 0)) / seconds,
    ]);
    return { causes: new Map(rates) };
  }

  #note(choice, moment) {
    const track = this.of(choice);
    this.#tracks.set(choice, [...track.slice(1 - LENGTH), moment]);
  }
}

/** Seconds since the peer was heard; undefined for never. */
export function silence({ lastHeard }, time) {
  return lastHeard === null
    ? undefined
    : Math.max(0, (time - lastHeard) / 1000);
}

function amounts(causes, counters) {
  return causes.map(({ name, text }) => ({
    name,
    text,
    amount: counters[name] ?? 0,
  }));
}

function traffic(now, then, seconds) {
  const rate = (name) =>
    Math.max(0, (now[name] ?? 0) - (then[name] ?? 0)) / seconds;
  return {
    out: rate("bytes_out_total"),
    in: rate("bytes_in_total"),
    packets: rate("packets_out_total") + rate("packets_in_total"),
  };
}

function sum(numbers) {
  return numbers.reduce((a, b) => a + b, 0);
}
