/**
 * What goes between an etcd in memory and its clients, as far as it is used.
 *
 * @module
 */
export interface Stored {
  readonly value: string;
  readonly created: number;
  readonly modified: number;
}

/** What becomes of a key: it is gone where it has no value. */
export interface Change {
  readonly key: string;
  readonly value: string | undefined;
}

export interface Event extends Partial<Stored> {
  readonly key: string;
  readonly modified: number;
}

/** What a transaction asks of a key: only what is used. */
export interface Compare {
  readonly key: string;
  readonly target: "CREATE" | "MOD";
  readonly create_revision?: string;
  readonly mod_revision?: string;
}

/** What a transaction does, or asks: one of them. */
export interface Request {
  readonly request_range?: RangeRequest;
  readonly request_put?: { readonly key: string; readonly value: string };
  readonly request_delete_range?: { readonly key: string };
}

export interface RangeRequest {
  readonly key: string;
  readonly range_end?: string;
  readonly revision?: string;
  readonly limit?: string;
  readonly min_mod_revision?: string;
  readonly keys_only?: boolean;
  readonly count_only?: boolean;
}

export function keyValue(
  { key, value, created, modified }: Event,
): Readonly<Record<string, string>> {
  return {
    key: btoa(key),
    mod_revision: String(modified),
    ...(value === undefined ? {} : {
      value: new TextEncoder().encode(value).toBase64(),
      create_revision: String(created),
    }),
  };
}

export function changeOf(
  { request_put, request_delete_range }: Request,
): Change {
  return {
    key: decode(request_put?.key ?? request_delete_range?.key),
    value: request_put &&
      new TextDecoder().decode(Uint8Array.fromBase64(request_put.value)),
  };
}

export function unsent(): TypeError {
  return new TypeError("error sending request");
}

export function refusal(
  status: number,
  code: number,
  message: string,
): Response {
  return Response.json({ error: message, message, code }, { status });
}

/** Keys are bytes, a character each. */
export function decode(base64 = ""): string {
  return atob(base64);
}
