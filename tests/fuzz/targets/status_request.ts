// What clients of the status listeners send.
import { strict as assert } from "node:assert";
import { parseRequest, RequestError } from "../../../src/status/request.ts";
import type { Target } from "../target.ts";

const REQUEST = "GET /metrics HTTP/1.1\r\nHost: localhost:9100\r\n\r\n";

export default function open(): Target {
  return {
    seeds: [
      REQUEST,
      "HEAD / HTTP/1.0\r\n\r\n",
      "GET /x?y HTTP/1.1\r\nhost: [::1]:80\r\nAccept: */*\r\n\r\n",
      "POST /drain HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
      "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
      "\x16\x03\x01\x02",
    ].map((text) => new TextEncoder().encode(text)),
    words: [
      ...[
        "GET ",
        "HEAD ",
        "POST ",
        " HTTP/1.1",
        " HTTP/1.0",
        "\r\n",
        "\r\n\r\n",
      ],
      ...["Host: ", "Content-Length: 0", "transfer-encoding: ", "/", "?"],
      ...["localhost", "127.0.0.1", "[::1]", ":", " ", "\t", "\0", "%2e"],
    ],
    maxBytes: 300,
    run(input) {
      const request = read(input);
      if (request === undefined) return;
      assert.match(request.path, /^\/[!->@-~]*$/);
      assert.ok(["GET", "HEAD", "POST"].includes(request.method));
      assert.match(request.host ?? "a", /^[\w.:[\]-]+$/);
      // What comes behind it changes nothing, and in pieces it is the same.
      const longer = new Uint8Array([...input, 1, 2, 3]);
      assert.deepEqual(read(longer), request);
      const end = input.findIndex((_, k) =>
        read(input.subarray(0, k)) !== undefined
      );
      if (end >= 0) assert.deepEqual(read(input.subarray(0, end)), request);
    },
  };
}

function read(input: Uint8Array) {
  try {
    return parseRequest(input);
  } catch (error) {
    assert.ok(error instanceof RequestError, `untyped: ${error}`);
    assert.ok(error.status >= 400 && error.status < 500);
    return undefined;
  }
}
