// A report as JSON, in as many texts as it has connections, of which there may be
// tens of thousands.
import type { ToldReport } from "./report.ts";

/**
 * @returns Two parts, one after the other: the sums are looked at when all
 *   connections were, since what counts in between would be in these alone
 */
export async function* reportJson(
  report: ToldReport,
): AsyncGenerator<Iterable<string>> {
  const { connections, totals, ...summary } = report;
  yield rowsJson(summary, connections);
  yield [`,"totals":${JSON.stringify(await totals())}}`];
}

function* rowsJson(
  summary: object,
  connections: Iterable<object>,
): Generator<string> {
  yield `${JSON.stringify(summary).slice(0, -1)},"connections":`;
  let before = "[";
  for (const one of connections) {
    yield before + JSON.stringify(one);
    before = ",";
  }
  yield before === "[" ? "[]" : "]";
}
