import { strict as assert } from "node:assert";
import {
  MAX_REQUEST_BYTES,
  parseRequest,
  RequestError,
} from "../../../src/status/request.ts";

const bytes = (text: string) =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

function statusOf(text: string): number | undefined {
  try {
    parseRequest(bytes(text));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RequestError);
    return error.status;
  }
}

Deno.test("a request is read once its empty line is there", () => {
  const text = "GET /metrics?a=b HTTP/1.1\r\nhOsT:  localhost:9100 \r\n" +
    "Accept: */*\r\n\r\n";
  assert.deepEqual(parseRequest(bytes(text)), {
    method: "GET",
    path: "/metrics",
    host: "localhost:9100",
    takesChunks: true,
  });
  for (let size = 0; size < text.length; size++) {
    assert.equal(parseRequest(bytes(text.slice(0, size))), undefined);
  }
});

Deno.test("HTTP/1.0 needs no host, and HTTP/1.1 exactly one", () => {
  const old = parseRequest(bytes("HEAD / HTTP/1.0\r\n\r\n"));
  assert.deepEqual(old, {
    ...{ method: "HEAD", path: "/", host: undefined, takesChunks: false },
  });
  assert.equal(statusOf("GET / HTTP/1.1\r\n\r\n"), 400);
  const twice = "Host: a\r\nHost: a\r\n\r\n";
  assert.equal(statusOf(`GET / HTTP/1.1\r\n${twice}`), 400);
  assert.equal(statusOf(`GET / HTTP/1.0\r\n${twice}`), 400);
});

Deno.test("a request may be to change something, and has no content either", () => {
  const line = "POST /drain HTTP/1.1\r\nHost: localhost\r\n";
  assert.deepEqual(parseRequest(bytes(`${line}Content-Length: 0\r\n\r\n`)), {
    ...{ method: "POST", path: "/drain", host: "localhost" },
    takesChunks: true,
  });
  assert.equal(statusOf(`${line}Content-Length: 1\r\n\r\nx`), 413);
});

Deno.test("what is no reading of a path is refused", () => {
  const rest = "Host: localhost\r\n\r\n";
  for (const method of ["post", "PUT", "DELETE", "OPTIONS", "get"]) {
    assert.equal(statusOf(`${method} / HTTP/1.1\r\n${rest}`), 405, method);
  }
  for (
    const line of [
      ...["GET / HTTP/2.0", "GET / HTTP/1.1 ", "GET  / HTTP/1.1", "GET /"],
      ...["GET metrics HTTP/1.1", "GET http://a/ HTTP/1.1", "GET * HTTP/1.1"],
      ...["GET /\x7f HTTP/1.1", "GET /\t HTTP/1.1", "", "\x16\x03\x01"],
    ]
  ) {
    assert.equal(statusOf(`${line}\r\n${rest}`), 400, line);
  }
  const line = "GET / HTTP/1.1\r\n";
  for (
    const header of ["a", " a: b", "a : b", "a: \x01", "a: b\nc: d", ": b"]
  ) {
    assert.equal(statusOf(`${line}${header}\r\n${rest}`), 400, header);
  }
  for (const host of ["a b", "a/b", "", "[", "a:b", "a@b"]) {
    assert.equal(statusOf(`${line}Host: ${host}\r\n\r\n`), 400, host);
  }
  for (const body of ["Content-Length: 1", "Transfer-Encoding: chunked"]) {
    assert.equal(statusOf(`${line}${body}\r\n${rest}`), 413, body);
  }
  assert.equal(statusOf(`${line}Content-Length: 0\r\n${rest}`), undefined);
});

Deno.test("a request without an end is refused when it is as long as one may be", () => {
  const long = "GET / HTTP/1.1\r\nHost: a\r\nX: ".padEnd(
    MAX_REQUEST_BYTES,
    "x",
  );
  assert.equal(statusOf(long.slice(1)), undefined);
  assert.equal(statusOf(long), 431);
});

// Minutes, if their number counted more than once.
Deno.test("a header full of blanks takes no longer than another one", () => {
  const blanks = " \t".repeat((MAX_REQUEST_BYTES - 100) / 2);
  const line = "GET / HTTP/1.1\r\nHost: a\r\n";
  assert.equal(statusOf(`${line}a:${blanks}\x01\r\n\r\n`), 400);
  assert.equal(statusOf(`${line}a:${blanks}b${blanks}\x01`), 431);
  assert.equal(statusOf(`${line}Content-Length:${blanks}0\r\n\r\n`), undefined);
});
