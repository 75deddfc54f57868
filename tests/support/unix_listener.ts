/** Takes datagrams at a unix socket, as syslog and systemd do. */
export class UnixListener implements Disposable {
  readonly #socket: Deno.DatagramConn;

  /** @param path Where to listen; must not exist yet. */
  constructor(path: string) {
    this.#socket = Deno.listenDatagram({ transport: "unixpacket", path });
  }

  /** Waits for one datagram. */
  async receive(): Promise<string> {
    const [bytes] = await this.#socket.receive();
    return new TextDecoder().decode(bytes);
  }

  /**
   * Waits for a datagram that matches, and forgets those before it.
   *
   * @throws {Error} None came in time; the message holds those that did.
   */
  async find(pattern: RegExp, seconds = 10): Promise<string> {
    const seen: string[] = [];
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`Cannot find ${pattern} in ${seen.join("\n")}`)),
      seconds * 1000,
    );
    try {
      for (;;) {
        const text = await Promise.race([this.receive(), promise]);
        if (pattern.test(text)) return text;
        seen.push(text);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
