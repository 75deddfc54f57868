// Requests to the status listeners: as much of HTTP/1.1 (RFC 9112) as reading and
// two words of control take, of bytes that anybody may have sent.

/** Bytes that a request may have, its empty line included. */
export const MAX_REQUEST_BYTES = 8192;

export interface StatusRequest {
  /** POST changes something, where that is allowed. */
  readonly method: "GET" | "HEAD" | "POST";
  /** Without a query, such as `/metrics`. */
  readonly path: string;
  /** As it was given, with its port; undefined in HTTP/1.0 without one. */
  readonly host: string | undefined;
  /** HTTP/1.0 does not: the end of content in chunks is told from a broken one. */
  readonly takesChunks: boolean;
}

/** What is wrong with a request, for whoever has sent it. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "RequestError";
    this.status = status;
  }
}

const METHODS: readonly StatusRequest["method"][] = ["GET", "HEAD", "POST"];

const END = "\r\n\r\n";
const METHOD = /^[!#$%&'*+.^_`|~\w-]+$/;
/** In origin form: what the listeners have needs no escapes. */
const TARGET = /^\/[!-~]*$/;
/** In one piece: with blanks around it, many of them take cubic time to refuse. */
const FIELD = /^([!#$%&'*+.^_`|~\w-]+):([\t -~\x80-\xff]*)$/;
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{0,5})?$/i;

/**
 * @returns undefined as long as the empty line at the end has not come
 * @throws {RequestError} if it is too long, or never will be a good request
 */
export function parseRequest(bytes: Uint8Array): StatusRequest | undefined {
  // A byte a character, whatever they are.
  const text = String.fromCharCode(...bytes.subarray(0, MAX_REQUEST_BYTES));
  const end = text.indexOf(END);
  if (end < 0) {
    if (bytes.length < MAX_REQUEST_BYTES) return undefined;
    throw new RequestError(431, "the request is too long");
  }
  const [first = "", ...fields] = text.slice(0, end).split("\r\n");
  const { method, target, minor } = requestLine(first);
  const headers = headersOf(fields);
  if (headers.has("transfer-encoding") || hasBody(headers)) {
    throw new RequestError(413, "a request has no content here");
  }
  const hosts = headers.get("host") ?? [];
  return {
    method: knownMethod(method),
    path: target.split("?", 1)[0] ?? "",
    host: hostOf(hosts, minor),
    takesChunks: minor === "1",
  };
}

function requestLine(line: string) {
  const [method = "", target = "", version = "", ...more] = line.split(" ");
  const [, minor] = /^HTTP\/1\.([01])$/.exec(version) ?? [];
  if (minor === undefined || more.length > 0 || !METHOD.test(method)) {
    throw new RequestError(400, "this is no request of HTTP/1.1");
  }
  if (!TARGET.test(target)) {
    throw new RequestError(400, "the target has to be a path");
  }
  return { method, target, minor };
}

function headersOf(
  lines: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, readonly string[]>();
  for (const line of lines) {
    const [, name = "", value = ""] = FIELD.exec(line) ?? [];
    if (name === "") throw new RequestError(400, "a header is malformed");
    const key = name.toLowerCase();
    headers.set(key, [...headers.get(key) ?? [], withoutBlanks(value)]);
  }
  return headers;
}

/** Not trim(), which knows more of them. */
function withoutBlanks(value: string): string {
  const isBlank = (at: number) => value[at] === " " || value[at] === "\t";
  let [start, end] = [0, value.length];
  while (start < end && isBlank(start)) start++;
  while (start < end && isBlank(end - 1)) end--;
  return value.slice(start, end);
}

function hasBody(headers: ReadonlyMap<string, readonly string[]>): boolean {
  return headers.get("content-length")?.some((size) => size !== "0") ?? false;
}

function knownMethod(method: string): StatusRequest["method"] {
  const known = METHODS.find((one) => one === method);
  if (known !== undefined) return known;
  throw new RequestError(405, "there is no such method here");
}

/** RFC 9112 section 3.2: one in HTTP/1.1, and never two. */
function hostOf(
  hosts: readonly string[],
  minor: string,
): string | undefined {
  const [host] = hosts;
  if (host === undefined && minor === "0") return undefined;
  if (host === undefined || hosts.length > 1 || !HOST.test(host)) {
    throw new RequestError(400, "there must be exactly one Host header");
  }
  return host;
}
