// The program `anytun-showtables`: records without keys (sync section 8).
import { effectiveUser } from "../../ffi/process/identity.ts";
import { readEnvironment } from "../../ffi/process/process.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import {
  readShowtablesCommandLine,
  type ShowtablesOptions,
} from "../config/showtables.ts";
import { EXIT_FAILED } from "../config/exit_status.ts";
import { LocalStreams } from "../daemon/local_streams.ts";
import { reasonOf } from "../log/reason.ts";
import { parseAddress } from "../net/address.ts";
import {
  formatPlaceName,
  isUnixSocket,
  type Place,
  type PlaceName,
} from "../net/place.ts";
import { delay } from "../net/delay.ts";
import { systemLookup } from "../net/system_lookup.ts";
import { ClusterView, tableJson } from "../sync/cluster_view.ts";
import type { SyncStream } from "../sync/streams.ts";
import { type TableLine, TableReader } from "../sync/showtables.ts";
import { inputStream, tableStream } from "../sync/table_stream.ts";
import { connectFor } from "../sync/transport.ts";
import { HOME_AND_CLEAR, printCommandLine, printTo } from "./print.ts";
import { hostFiles } from "./host_files.ts";

/** How long an address may take to answer, in ms. */
const ANSWER_MS = 10_000;

/** Runs the program until the stream ends, or has nothing more to say. */
export async function showtables(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const files = hostFiles(libc, readEnvironment(libc));
  const commandLine = readShowtablesCommandLine(argv, Deno.version, files);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options, warnings } = commandLine;
  for (const warning of warnings) {
    printTo(Deno.stderr, `anytun-showtables: ${warning}\n`);
  }
  const display = new Display(options, Deno.stdout.isTerminal());
  try {
    await showAll(await chunksOf(options, libc, display.asTables), display);
  } catch (error) {
    printTo(Deno.stderr, `anytun-showtables: ${reasonOf(error)}\n`);
    return EXIT_FAILED;
  }
  return display.finish();
}

class Display {
  /** Whether all is shown at once, when the stream has had its say. */
  readonly asTables: boolean;
  readonly #view = new ClusterView();
  readonly #json: boolean;
  readonly #watch: boolean;
  #failed = false;

  constructor({ json, watch }: ShowtablesOptions, isTerminal: boolean) {
    this.#json = json;
    this.#watch = watch;
    this.asTables = isTerminal && !json;
  }

  show(lines: Iterable<TableLine>): void {
    let text = "";
    for (const line of lines) {
      if ("error" in line) this.#fail(line.error);
      else if (this.asTables) this.#view.apply(line.record);
      else text += `${this.#json ? tableJson(line.record) : line.text}\n`;
    }
    if (this.asTables && this.#watch) {
      text = `${HOME_AND_CLEAR}${this.#tables()}`;
    }
    printTo(Deno.stdout, text);
  }

  /** @returns The exit status: records that could not be read are a failure */
  finish(): number {
    if (this.asTables && !this.#watch) printTo(Deno.stdout, this.#tables());
    return this.#failed ? EXIT_FAILED : 0;
  }

  #tables(): string {
    return this.#view.lines().map((line) => `${line}\n`).join("");
  }

  #fail(error: Error): void {
    this.#failed = true;
    printTo(Deno.stderr, `anytun-showtables: ${error.message}\n`);
  }
}

/** What there is to read, to the end or until there is nothing more to say. */
async function chunksOf(
  options: ShowtablesOptions,
  libc: ProcessLibc,
  asTables: boolean,
): Promise<AsyncIterable<Uint8Array>> {
  const { server, watch, syncTls } = options;
  if (server === undefined) {
    // Who looks at a terminal does not see the end of `nc` either.
    const mayEnd = asTables && !watch;
    const read = (into: Uint8Array) => Deno.stdin.read(into);
    return inputStream(read, mayEnd ? delay : undefined);
  }
  const stream = await connect(server, options, libc);
  const mayBeTls = !isUnixSocket(server) && syncTls === undefined;
  return named(server, tableStream({ stream, mayBeTls, watch, delay }));
}

/** Has errors say which server they are about. */
async function* named(
  server: PlaceName,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    const name = formatPlaceName(server);
    throw new Error(
      `Cannot read from ${name} (--connect): ${reasonOf(cause)}`,
      { cause },
    );
  }
}

async function connect(
  server: PlaceName,
  options: ShowtablesOptions,
  libc: ProcessLibc,
): Promise<SyncStream> {
  const streams = new LocalStreams(libc);
  const connect = await connectFor(options, {
    openUnixStreams: () => streams.openUnixStreams(),
    openOwners: () => streams.openOwners(),
    connectTcp: (to, signal) => streams.connectTcp(to, signal),
    effectiveUser: () => effectiveUser(libc),
    delay,
  }, [server]);
  let reason = "the name has no address";
  for (const place of await placesOf(server)) {
    try {
      return await connect(place, AbortSignal.timeout(ANSWER_MS));
    } catch (error) {
      reason = reasonOf(error);
    }
  }
  const name = formatPlaceName(server);
  throw new Error(`Cannot connect to ${name} (--connect): ${reason}`);
}

async function placesOf(
  server: PlaceName,
): Promise<readonly Place[]> {
  if (isUnixSocket(server)) return [server];
  const { host, port } = server;
  const address = parseAddress(host);
  const addresses = address ? [address] : await systemLookup(host, "any");
  return addresses.map((address) => ({ address, port }));
}

async function showAll(
  chunks: AsyncIterable<Uint8Array>,
  display: Display,
): Promise<void> {
  const reader = new TableReader();
  for await (const chunk of chunks) display.show(reader.push(chunk));
  display.show(reader.end());
}
