// Answers of a status listener, as they came: whole, or they count for nothing.
import { ReportError } from "./fields.ts";

const CR = 13;
const LF = 10;
/** Of the length of a chunk: nobody has more than fits in them. */
const MOST_DIGITS = 8;

/** @throws {ReportError} if it is no good answer, or not all of one */
export function bodyOf(answer: Uint8Array): string {
  const end = headEnd(answer);
  const head = new TextDecoder("latin1").decode(answer.subarray(0, end));
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(head) ?? [];
  if (end < 0 || status === undefined) {
    throw new ReportError("what answers there is no daemon of anytun");
  }
  if (status !== "200") throw new ReportError(`its status is ${status}`);
  const body = answer.subarray(end + 4);
  if (/^transfer-encoding: chunked\r?$/im.test(head)) return unchunked(body);
  const [, length] = /^content-length: (\d{1,15})\r?$/im.exec(head) ?? [];
  // RFC 9112 section 6.3: without a length it is what there is.
  const size = length === undefined ? body.length : Number(length);
  if (body.length < size) throw cutOff();
  return new TextDecoder().decode(body.subarray(0, size));
}

/** RFC 9112 section 7.1, without the extensions and trailers that no daemon has. */
function unchunked(body: Uint8Array): string {
  const decoder = new TextDecoder();
  let text = "";
  for (let at = 0;;) {
    const { size, start } = chunkAt(body, at);
    const end = start + size;
    if (end + 2 > body.length) throw cutOff();
    if (!isLineEnd(body, end)) throw malformed();
    if (size === 0) return text + decoder.decode();
    text += decoder.decode(body.subarray(start, end), { stream: true });
    at = end + 2;
  }
}

function chunkAt(
  body: Uint8Array,
  at: number,
): { readonly size: number; readonly start: number } {
  const line = body.subarray(at, at + MOST_DIGITS + 2);
  const digits = line.indexOf(CR);
  if (digits < 0 && line.length < MOST_DIGITS + 2) throw cutOff();
  const text = String.fromCharCode(...line.subarray(0, Math.max(0, digits)));
  if (!/^[\da-f]+$/i.test(text) || digits > MOST_DIGITS) throw malformed();
  const start = at + digits + 2;
  if (start > body.length) throw cutOff();
  if (!isLineEnd(body, start - 2)) throw malformed();
  return { size: parseInt(text, 16), start };
}

/** @returns -1 for none */
function headEnd(answer: Uint8Array): number {
  for (let at = answer.indexOf(CR); at >= 0; at = answer.indexOf(CR, at + 1)) {
    if (isLineEnd(answer, at) && isLineEnd(answer, at + 2)) return at;
  }
  return -1;
}

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF;
}

function cutOff(): ReportError {
  return new ReportError("the answer was cut off before its end");
}

function malformed(): ReportError {
  return new ReportError("the answer is not in chunks, as it says");
}
