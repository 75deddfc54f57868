import { PATIENCE_SECONDS } from "./process.ts";

/**
 * Takes datagrams at a unix socket, as syslog and systemd do, and as soon as
 * they come: the kernel keeps only a few for a listener that does not read.
 */
export class UnixListener implements AsyncDisposable {
  readonly #socket: Deno.DatagramConn;
  readonly #reading: Promise<void>;
  readonly #texts: string[] = [];
  #news = Promise.withResolvers<void>();
  #open = true;

  /** @param path Where to listen; must not exist yet. */
  constructor(path: string) {
    this.#socket = Deno.listenDatagram({ transport: "unixpacket", path });
    this.#reading = this.#read();
  }

  /** Waits for one datagram. */
  async receive(): Promise<string> {
    for (;;) {
      const text = this.#texts.shift();
      if (text !== undefined) return text;
      await this.#news.promise;
    }
  }

  /**
   * Waits for a datagram that matches, and forgets those before it.
   *
   * @throws {Error} None came in time; the message holds those that did.
   */
  async find(pattern: RegExp, seconds = PATIENCE_SECONDS): Promise<string> {
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false;
    this.#socket.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    while (this.#open) {
      try {
        const [bytes] = await this.#socket.receive();
        this.#texts.push(new TextDecoder().decode(bytes));
        this.#news.resolve();
        this.#news = Promise.withResolvers();
      } catch (error) {
        if (this.#open) throw error;
      }
    }
  }
}
