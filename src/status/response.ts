// Responses of the status listeners (RFC 9110, RFC 9112): one a connection.
import type { StatusRequest } from "./request.ts";

export interface Response {
  readonly status: number;
  readonly type: string;
  /** Long ones in pieces, and the longest as they are made: nobody holds them. */
  readonly body: string | readonly Uint8Array[] | AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  421: "Misdirected Request",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/**
 * Nothing from elsewhere, nothing into elsewhere: neither scripts, nor forms,
 * nor frames, nor copies in caches.
 */
const ALWAYS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "Connection": "close",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "connect-src 'self'; img-src data:; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

const PLAIN = "text/plain; charset=utf-8";

export function plainText(status: number, text: string): Response {
  return { status, type: PLAIN, body: `${text}\n` };
}

/**
 * HEAD gets everything but the content.
 *
 * @returns What to write, one after the other
 */
export async function* responsePieces(
  response: Response,
  request: Framing,
): AsyncGenerator<Uint8Array> {
  const { body } = response;
  if (isMadeWhileRead(body)) {
    yield* streamPieces(response, body, request);
    return;
  }
  const content = typeof body === "string"
    ? [new TextEncoder().encode(body)]
    : body;
  const size = content.reduce((sum, one) => sum + one.length, 0);
  const head = headOf(response, { "Content-Length": String(size) });
  if (request.method === "HEAD") {
    yield head;
    return;
  }
  const [first = new Uint8Array(0), ...rest] = content;
  yield joined(head, first);
  yield* rest;
}

/** What the form of a response depends on. */
export type Framing = Pick<StatusRequest, "method" | "takesChunks">;

/** Whether it has to be written for this one alone. */
export function isWrittenApart(
  { body }: Response,
  { method, takesChunks }: Framing,
): boolean {
  return isMadeWhileRead(body) && method !== "HEAD" && takesChunks;
}

function isMadeWhileRead(
  body: Response["body"],
): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && Symbol.asyncIterator in body;
}

/**
 * RFC 9112 section 6.3: without chunks it would end where the stream does, also
 * where it is broken off, and nobody could tell.
 */
async function* streamPieces(
  response: Response,
  body: AsyncIterable<Uint8Array>,
  request: Framing,
): AsyncGenerator<Uint8Array> {
  if (!request.takesChunks) {
    yield* responsePieces(NEEDS_CHUNKS, request);
    return;
  }
  yield headOf(response, { "Transfer-Encoding": "chunked" });
  if (request.method === "HEAD") return;
  for await (const piece of body) {
    // One without bytes would be the last one.
    if (piece.length > 0) yield chunkOf(piece);
  }
  yield new TextEncoder().encode("0\r\n\r\n");
}

/** RFC 9110 sections 7.8 and 15.5.22. */
const NEEDS_CHUNKS: Response = {
  ...plainText(
    426,
    "so long an answer comes in chunks: ask by HTTP/1.1, as nginx does with " +
      "'proxy_http_version 1.1'",
  ),
  headers: { "Upgrade": "HTTP/1.1", "Connection": "close, upgrade" },
};

/** RFC 9112 section 7.1. */
function chunkOf(piece: Uint8Array): Uint8Array {
  const encoder = new TextEncoder();
  const head = encoder.encode(`${piece.length.toString(16)}\r\n`);
  return joined(joined(head, piece), encoder.encode("\r\n"));
}

function headOf(
  { status, type, headers = {} }: Response,
  framing: Readonly<Record<string, string>>,
): Uint8Array {
  const fields = { "Content-Type": type, ...framing, ...ALWAYS, ...headers };
  return new TextEncoder().encode(
    [
      `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
      ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
      "\r\n",
    ].join("\r\n"),
  );
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
