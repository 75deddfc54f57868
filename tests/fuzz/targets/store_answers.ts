// Answers of a store to questions, in pieces.
import { strict as assert } from "node:assert";
import { StoreError } from "../../../src/fleet/store_error.ts";
import { EtcdClient, type Range } from "../../../src/fleet/etcd_client.ts";
import type { Post } from "../../../src/fleet/etcd_session.ts";
import { ByteReader } from "../bytes.ts";
import type { Target } from "../target.ts";

const PREFIX = "/p/clients/";
/** Of a range: less than an input can be. */
const MAX_CHARACTERS = 300;

/** What is asked, by the first byte. */
const QUESTIONS = ["range", "get", "transact", "header"] as const;
/** Of the first byte: it has to log in first. */
const LOGIN = 4;

const header = { cluster_id: "7", revision: "12" };
const entry = (name: string) => {
  const revisions = { create_revision: "3", mod_revision: "12" };
  return { key: btoa(PREFIX + name), value: "bXV4IDE=", ...revisions };
};

/** Behind two bytes, which choose: answers, with a zero between them. */
export default function open(): Target {
  const seed = (question: number, ...answers: readonly unknown[]) => {
    const texts = answers.map((answer) =>
      typeof answer === "string" ? answer : JSON.stringify(answer)
    );
    const text = new TextEncoder().encode(texts.join("\0"));
    return Uint8Array.of(question, 3, ...text);
  };
  const pages = [
    { header, kvs: [entry("a"), entry("b")], more: true, count: "3" },
    { header, kvs: [entry("c/chain")], count: "3" },
  ];
  const stale = { error: "etcdserver: invalid auth token", code: 16 };
  return {
    seeds: [
      seed(0, ...pages),
      seed(1, { header, kvs: [entry("a")] }),
      seed(2, { header, succeeded: true }),
      seed(3, { header }),
      seed(LOGIN, { header, token: "abc.7" }, ...pages),
      seed(LOGIN, { token: "a" }, { ...stale, message: "stale" }, {
        token: "b",
      }, { header }),
      seed(2, { error: "permission denied", code: 7, message: "no" }),
      seed(0, "no JSON", "CommonName of client"),
    ],
    words: [
      ...["\0", '"kvs":', '"more":true', '"header":', '"token":', '"code":16'],
      ...["{}", "[]", "null", '"-1"', "9007199254740993", "__proto__", "\xff"],
    ],
    maxBytes: 700,
    async run(input) {
      const whole = await answerTo(input, Infinity);
      assert.deepEqual(await answerTo(input, 1 + (input[1] ?? 0)), whole);
    },
  };
}

interface Answer {
  readonly found: unknown;
  readonly requests: number;
}

/** @param size Bytes of a piece of an answer */
async function answerTo(input: Uint8Array, size: number): Promise<Answer> {
  const bytes = new ByteReader(input);
  const choice = bytes.byte();
  bytes.byte();
  const store = new LyingStore(bytes.take(input.length), size);
  const client = new EtcdClient({
    origins: ["http://a:2379", "http://b:2379"],
    login: choice & LOGIN ? { name: "n", password: "p" } : undefined,
    post: store.post,
    timeout: () => new AbortController().signal,
    maxCharacters: MAX_CHARACTERS,
  });
  const question = QUESTIONS[choice % QUESTIONS.length] ?? "range";
  const found = await orFault(() => ask(client, question));
  return { found, requests: store.requests };
}

async function ask(
  client: EtcdClient,
  question: (typeof QUESTIONS)[number],
): Promise<unknown> {
  switch (question) {
    case "range":
      return checked(await client.range(PREFIX));
    case "get":
      return await client.get(`${PREFIX}a`);
    case "transact":
      return await client.transact([], [{ delete: `${PREFIX}a` }]);
    case "header":
      return await client.header(PREFIX);
  }
}

function checked({ header, entries }: Range): Range {
  const isRevision = (one: number) => Number.isSafeInteger(one) && one >= 0;
  assert.ok(isRevision(header.revision));
  assert.match(header.cluster, /^\d+$/);
  let characters = 0;
  for (const { key, value, createRevision, modRevision } of entries) {
    assert.ok(isRevision(createRevision) && isRevision(modRevision));
    characters += key.length + value.length;
  }
  assert.ok(characters <= MAX_CHARACTERS);
  return { header, entries };
}

async function orFault(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    assert.ok(error instanceof StoreError, `untyped: ${error}`);
    assert.doesNotMatch(error.message, /\p{Cc}/u);
    return error.message;
  }
}

/** Says what it likes, and ends once that is all. */
class LyingStore {
  readonly #answers: readonly Uint8Array<ArrayBuffer>[];
  readonly #size: number;
  requests = 0;

  constructor(text: Uint8Array, size: number) {
    const answers: Uint8Array<ArrayBuffer>[] = [];
    for (let at = 0; at < text.length;) {
      const end = text.indexOf(0, at);
      answers.push(text.slice(at, end < 0 ? text.length : end));
      at = end < 0 ? text.length : end + 1;
    }
    this.#answers = answers;
    this.#size = size;
  }

  post: Post = (_url, { headers }) => {
    new Headers(headers);
    const answer = this.#answers[this.requests++];
    if (answer === undefined) return Promise.reject(new Error("it is gone"));
    // What goes wrong has another status, as with etcd.
    const isFault = new TextDecoder().decode(answer).startsWith('{"error"');
    const status = isFault ? 401 : 200;
    return Promise.resolve(new Response(this.#pieces(answer), { status }));
  };

  #pieces(
    answer: Uint8Array<ArrayBuffer>,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const size = Math.min(this.#size, Math.max(1, answer.length));
    let at = 0;
    return new ReadableStream({
      pull(controller) {
        if (at >= answer.length) return controller.close();
        controller.enqueue(answer.subarray(at, at + size));
        at += size;
      },
    });
  }
}
