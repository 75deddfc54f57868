// A report as JSON, in as many texts as it has connections, of which there may be
// tens of thousands.
import type { ToldReport } from "./report.ts";

/** What `JSON.stringify` writes. */
export function* reportJson(report: ToldReport): Generator<string> {
  let before = "{";
  for (const [name, value] of Object.entries(report)) {
    yield `${before}${JSON.stringify(name)}:`;
    if (name === "connections") yield* listJson(report.connections);
    else yield JSON.stringify(value);
    before = ",";
  }
  yield "}";
}

function* listJson(list: Iterable<object>): Generator<string> {
  let before = "[";
  for (const one of list) {
    yield before + JSON.stringify(one);
    before = ",";
  }
  yield before === "[" ? "[]" : "]";
}
