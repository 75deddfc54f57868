// List of the clients of a fleet, without their keys. What a store holds may
// be anything: it is shown as text that does nothing.
import { readRecordText, type RecordValues } from "../config/fleet_record.ts";
import { durationOption } from "../config/duration.ts";
import { EXIT_FAILED } from "../config/exit_status.ts";
import { intervalOf } from "../daemon/chain_text.ts";
import type { StoredClient } from "../fleet/clients.ts";
import { MAX_CLIENT_BYTES } from "../fleet/layout.ts";
import { reasonOf } from "../log/reason.ts";
import { alignedRows } from "../log/rows.ts";
import { visibleJson } from "../log/visible.ts";
import { parseAddress } from "../net/address.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { formatPrefix } from "../net/prefix.ts";
import type { FleetHost } from "./fleet_host.ts";
import { printTo } from "./print.ts";

interface Listed {
  readonly name: string;
  readonly mux: number;
  /** The end that its servers have. */
  readonly role: string;
  readonly kdPrf: string;
  /** How long a key is used, such as `1h`; undefined without a chain. */
  readonly chain: string | undefined;
  readonly windowSize: number;
  readonly routes: readonly string[];
  /** Where it is said to be, if it is. */
  readonly endpoint: string | undefined;
}

/** @returns The exit status: whether all of them are of use */
export async function listClients(
  { json }: { readonly json: boolean },
  { clients, tell }: FleetHost,
): Promise<number> {
  const listed: Listed[] = [];
  let isWhole = true;
  for (const client of await clients.list()) {
    try {
      listed.push(listedOf(client));
    } catch (error) {
      isWhole = false;
      const why = reasonOf(error).replaceAll("\n", "; ");
      tell(`'${client.name}' is of no use: ${why}`);
    }
  }
  const text = json
    ? listed.map((client) => `${visibleJson(client)}\n`).join("")
    : tableOf(listed);
  printTo(Deno.stdout, text);
  return isWhole ? 0 : EXIT_FAILED;
}

/** @throws if it is of no use */
function listedOf({ name, text, chain }: StoredClient): Listed {
  if (text === undefined) throw new Error("only a key chain is left of it");
  if (text.length > MAX_CLIENT_BYTES) {
    throw new Error(`it has more than ${MAX_CLIENT_BYTES} bytes`);
  }
  const values = readRecordText(name, text);
  const { mux, role, kdPrf, windowSize, routes } = values;
  return {
    ...{ name, mux, role, kdPrf, windowSize, endpoint: endpointOf(values) },
    chain: chain === undefined ? undefined : durationOption(intervalOf(chain)),
    routes: routes.flat().map(formatPrefix),
  };
}

function endpointOf(
  { remoteHost: host, remotePort: port }: RecordValues,
): string | undefined {
  const address = parseAddress(host ?? "");
  return address && formatEndpoint({ address, port });
}

const TITLES = ["NAME", "MUX", "SERVER", "KEYS", "ENDPOINT", "ROUTES"];

function tableOf(listed: readonly Listed[]): string {
  if (listed.length === 0) return "there are no clients\n";
  return alignedRows([TITLES, ...listed.map(rowOf)])
    .map((row) => `${row}\n`).join("");
}

function rowOf(client: Listed): readonly string[] {
  const { name, mux, role, kdPrf, chain, endpoint, routes } = client;
  const keys = chain === undefined ? kdPrf : `chain, ${chain}`;
  return [
    ...[name, String(mux), role, keys, endpoint ?? "-"],
    routes.join(",") || "-",
  ];
}
