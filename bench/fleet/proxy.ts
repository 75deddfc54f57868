// Way between watchers and a store, which can be cut.

/** Forwards connections to a port, and counts what comes back. */
export class Proxy implements Disposable {
  readonly port: number;
  readonly #target: number;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();
  #isCut = false;
  /** From the store to the watchers. */
  bytes = 0;

  constructor(target: number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    void this.#accept();
  }

  /** Ends what is open, and refuses what comes. */
  cut(): void {
    this.#isCut = true;
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  heal(): void {
    this.#isCut = false;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.cut();
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      if (this.#isCut) close(near);
      else void this.#join(near);
    }
  }

  async #join(near: Deno.TcpConn): Promise<void> {
    try {
      const far = await Deno.connect({
        hostname: "127.0.0.1",
        port: this.#target,
      });
      this.#open.add(near).add(far);
      await Promise.race([
        this.#carry(near, far, false),
        this.#carry(far, near, true),
      ]);
      close(far);
    } catch {
      // The store is down, or the way was cut.
    }
    close(near);
  }

  async #carry(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    isBack: boolean,
  ): Promise<void> {
    for await (const chunk of from.readable) {
      if (isBack) this.bytes += chunk.length;
      for (let at = 0; at < chunk.length;) {
        at += await to.write(chunk.subarray(at));
      }
    }
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
