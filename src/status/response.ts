// Responses of the status listeners (RFC 9110, RFC 9112): one a connection.
import type { StatusRequest } from "./request.ts";

export interface Response {
  readonly status: number;
  readonly type: string;
  /** Long ones in pieces. */
  readonly body: string | readonly Uint8Array[];
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
 * @param method Of the request: HEAD gets everything but the body
 * @returns What to write, one after the other
 */
export function responsePieces(
  { status, type, body, headers = {} }: Response,
  method: StatusRequest["method"],
): readonly Uint8Array[] {
  const encoder = new TextEncoder();
  const content = typeof body === "string" ? [encoder.encode(body)] : body;
  const size = content.reduce((sum, one) => sum + one.length, 0);
  const fields = {
    "Content-Type": type,
    "Content-Length": String(size),
    ...ALWAYS,
    ...headers,
  };
  const head = encoder.encode(
    [
      `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
      ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
      "\r\n",
    ].join("\r\n"),
  );
  if (method === "HEAD") return [head];
  const [first = new Uint8Array(0), ...rest] = content;
  return [joined(head, first), ...rest];
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
