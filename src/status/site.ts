// Site of a status listener: its pages by path.
import { parseAddress } from "../net/address.ts";
import {
  CONNECTION_COUNTER_INFOS,
  type CounterInfo,
  PLANE_COUNTER_INFOS,
} from "../tunnel/counters.ts";
import { ConnectionSamples } from "./connection_samples.ts";
import type { MembersReport } from "./members_report.ts";
import { METRICS_TYPE, metricsLines } from "./metrics.ts";
import { PAGE_FILES } from "./page_files.ts";
import {
  fitnessLine,
  type Health,
  type HealthReport,
  isReady,
  type Report,
  type ToldReport,
} from "./report.ts";
import { reportJson } from "./report_json.ts";
import { RequestError, type StatusRequest } from "./request.ts";
import { plainText, type Response } from "./response.ts";
import { bytesInSlices, doInSlices, type Pause } from "./slices.ts";

/** Connections of a report that is kept for others, of a megabyte or two. */
const MOST_WRITTEN_ONCE = 2000;

/** Of connections between two pauses. */
const SAMPLES = 500;

/** Where the report is. */
export const REPORT_PATH = "/status.json";

/** The health alone, for who asks often. */
export const HEALTH_PATH = "/health.json";

/** The report without its connections. */
export const TOTALS_PATH = "/totals.json";

/** What a daemon is drained and taken back by, with POST. */
export const DRAIN_PATH = "/drain";
export const UNDRAIN_PATH = "/undrain";

/** Where that on all members of the cluster is, for those who may ask for all. */
export const MEMBERS_PATH = "/cluster.json";

export interface StatusSource {
  /** @param limit Connections that are told of, at most */
  report(limit: number): Promise<ToldReport>;
  health(): Promise<Health>;
  /** As it was seen last, without another look. */
  fitness(): HealthReport;
}

/** What may be changed from outside. */
export interface StatusControl {
  /** Whether a user of this host may change it. */
  mayChange(uid: number): boolean;
  /** @param uid Of who asks for it */
  drain(uid: number): void;
  undrain(): void;
}

export interface StatusSiteOptions {
  /** Without it there is nothing to change. */
  readonly control?: StatusControl | undefined;
  readonly source: StatusSource;
  /** How many of them are told one by one. */
  readonly connections: () => number;
  /** Without it nothing is told of other members. */
  readonly members?: (() => MembersReport) | undefined;
  /** Of hosts other than `localhost`, that it may be asked as. */
  readonly hostName?: string | undefined;
  /** Between slices of what takes long to write. */
  readonly pause: Pause;
}

export class StatusSite {
  readonly #options: StatusSiteOptions;
  readonly #metrics: ReportWriter;
  readonly #json: ReportWriter;

  constructor(options: StatusSiteOptions) {
    this.#options = options;
    this.#metrics = writerOf(metricsOf(options.pause), options);
    this.#json = writerOf(reportJson, options);
  }

  /**
   * @param asker The user of this host, where that is known
   * @throws {RequestError} for what there is not, or not for this user
   */
  async answer(
    { method, path, host }: Omit<StatusRequest, "takesChunks">,
    { uid }: { readonly uid?: number | undefined } = {},
  ): Promise<Response> {
    this.#requireOwn(host);
    if (method === "POST") {
      this.#change(path, uid);
      return plainText(200, fitnessLine(this.#options.source.fitness()));
    }
    const response = await this.#look(path);
    if (response !== undefined) return response;
    const file = Object.hasOwn(PAGE_FILES, path) ? PAGE_FILES[path] : undefined;
    if (file !== undefined) return { status: 200, ...file };
    throw new RequestError(
      404,
      `there are /, ${REPORT_PATH}, /metrics, /healthz and /readyz`,
    );
  }

  /** @returns undefined for a path that leads to nothing of the daemon */
  async #look(path: string): Promise<Response | undefined> {
    const { connections, members, source } = this.#options;
    switch (path) {
      case "/metrics": {
        const body = await this.#metrics(connections());
        return { status: 200, type: METRICS_TYPE, body };
      }
      case REPORT_PATH:
        return json(await this.#json(connections()));
      case TOTALS_PATH:
        return json(await this.#json(0));
      case "/healthz": {
        const health = await source.health();
        return plainText(health.isCarrying ? 200 : 503, healthText(health));
      }
      case "/readyz": {
        const health = source.fitness();
        return plainText(isReady(health) ? 200 : 503, fitnessLine(health));
      }
      case HEALTH_PATH:
        return json(JSON.stringify(source.fitness()));
      case MEMBERS_PATH:
        return members && json(JSON.stringify(members()));
      case "/losses.json":
        return json(LOSSES);
    }
    return undefined;
  }

  #change(path: string, uid: number | undefined): void {
    const { control } = this.#options;
    if (control === undefined) {
      throw new RequestError(405, "only GET and HEAD: nothing changes here");
    }
    if (uid === undefined || !control.mayChange(uid)) {
      throw new RequestError(403, "root and the user of the daemon may, alone");
    }
    if (path === DRAIN_PATH) return control.drain(uid);
    if (path === UNDRAIN_PATH) return control.undrain();
    throw new RequestError(404, `there are ${DRAIN_PATH} and ${UNDRAIN_PATH}`);
  }

  /**
   * A page from elsewhere whose name leads to this host now (DNS rebinding) has
   * the browser ask by that name.
   */
  #requireOwn(host: string | undefined): void {
    if (host === undefined) return;
    const name = host.replace(/:\d*$/, "").toLowerCase();
    const { hostName } = this.#options;
    if (name === "localhost" || name === hostName?.toLowerCase()) return;
    if (parseAddress(name.replace(/^\[(.*)\]$/, "$1")) !== undefined) return;
    throw new RequestError(
      421,
      "ask by address, or by a name that stands in --metrics",
    );
  }
}

/** @param limit Connections that are told of, at most */
type ReportWriter = (limit: number) => Promise<Response["body"]>;

/** @param count Of the connections that are told of */
type ReportTexts = (
  report: ToldReport,
  count: number,
) => AsyncIterable<Iterable<string>>;

/**
 * A report that serves many who ask is written once: it takes milliseconds. One
 * of many connections is written while it is read, by each for himself: whoever
 * takes it slowly, or not at all, holds none of it.
 */
function writerOf(
  texts: ReportTexts,
  { source, pause }: Pick<StatusSiteOptions, "source" | "pause">,
): ReportWriter {
  const all = new WeakMap<ToldReport, Promise<readonly Uint8Array[]>>();
  return async (limit) => {
    const countOf = (report: ToldReport) =>
      Math.min(limit, report.connectionCount);
    const piecesOf = (report: ToldReport) =>
      bytesOf(texts(report, countOf(report)), pause);
    const report = await source.report(limit);
    if (countOf(report) > MOST_WRITTEN_ONCE) {
      // Whoever waits to read it gets that of then.
      return startedLater(async () => piecesOf(await source.report(limit)));
    }
    const written = all.get(report) ?? Array.fromAsync(piecesOf(report));
    all.set(report, written);
    return await written;
  };
}

async function* bytesOf(
  parts: AsyncIterable<Iterable<string>>,
  pause: Pause,
): AsyncGenerator<Uint8Array> {
  for await (const part of parts) yield* bytesInSlices(part, pause);
}

async function* startedLater<T>(
  start: () => Promise<AsyncIterable<T>>,
): AsyncGenerator<T> {
  yield* await start();
}

interface Looked {
  readonly report: Omit<Report, "connections">;
  readonly samples: ConnectionSamples;
}

/** The connections of a report are looked at once for all who ask. */
function metricsOf(pause: Pause): ReportTexts {
  const all = new WeakMap<ToldReport, Promise<Looked>>();
  return (report, count) => {
    const looked = all.get(report) ?? lookAt(report, count, pause);
    all.set(report, looked);
    // Without what they are told from, for as long as somebody reads.
    return metricsParts(looked);
  };
}

async function lookAt(
  { connections, totals, ...summary }: ToldReport,
  count: number,
  pause: Pause,
): Promise<Looked> {
  const samples = new ConnectionSamples(count);
  await doInSlices(connections, SAMPLES, pause, (one) => samples.add(one));
  return { report: { ...summary, totals: await totals() }, samples };
}

async function* metricsParts(
  looked: Promise<Looked>,
): AsyncGenerator<Iterable<string>> {
  const { report, samples } = await looked;
  yield metricsLines(report, samples);
}

function json(body: Response["body"]): Response {
  return { status: 200, type: "application/json", body };
}

/** What the page knows of the one table of counters. */
const LOSSES = JSON.stringify({
  connection: causes(CONNECTION_COUNTER_INFOS),
  plane: causes(PLANE_COUNTER_INFOS),
});

function causes(
  infos: readonly CounterInfo[],
): readonly Pick<CounterInfo, "name" | "text">[] {
  return infos.filter(({ isLoss }) => isLoss)
    .map(({ name, text }) => ({ name, text }));
}

function healthText({ isCarrying, state, cluster }: Health): string {
  return [
    isCarrying ? "carries packets" : "does not carry packets",
    `state: ${state}`,
    ...(cluster === null
      ? []
      : [cluster.inStep ? "in step with its cluster" : "not in step"]),
  ].join("\n");
}
