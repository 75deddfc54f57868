// The store of a fleet as this host reaches it.
import type { SourceOptions } from "../config/source.ts";
import { EtcdClient } from "../fleet/etcd_client.ts";
import type { Post } from "../fleet/etcd_session.ts";

export interface OpenStore extends Disposable {
  readonly client: EtcdClient;
}

/** Connects with the first request. */
export function openStore(source: SourceOptions): OpenStore {
  const { origins, login, tls } = source;
  const http = Deno.createHttpClient({
    ...(tls?.authority !== undefined && { caCerts: [tls.authority] }),
    ...(tls?.identity !== undefined && {
      cert: tls.identity.certificate,
      key: tls.identity.key,
    }),
  });
  const post: Post = (url, request) =>
    fetch(url, {
      ...request,
      client: http,
      method: "POST",
      // Nobody else is told what the store is.
      redirect: "error",
    });
  const timeout = (ms: number) => AbortSignal.timeout(ms);
  return {
    client: new EtcdClient({ origins, login, post, timeout }),
    [Symbol.dispose]: () => http.close(),
  };
}
