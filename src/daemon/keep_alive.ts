// Keep-alive of the tunnels of a daemon (--keepalive).
import type { AnytunOptions } from "../config/anytun.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import { KeepAlive } from "../tunnel/keep_alive.ts";
import type { Service } from "./lifecycle.ts";
import type { World } from "./world.ts";

const LOOK_MS = 1000;

interface KeepAliveOptions extends Pick<AnytunOptions, "keepalive"> {
  readonly cluster: Pick<AnytunOptions["cluster"], "routing">;
}

export class KeepAliveService implements Service<AnytunOptions> {
  readonly name = "keep-alive";
  readonly live = ["keepalive"];
  readonly #keepAlive: KeepAlive;
  readonly #sendDue: () => void;
  readonly #world: Pick<World, "elapsed" | "every">;
  #seconds: number;

  /** @param sendDue Has the data plane send to those that are due */
  constructor(
    { keepalive, cluster: { routing } }: KeepAliveOptions,
    table: ConnectionTable,
    sendDue: () => void,
    world: Pick<World, "elapsed" | "every">,
  ) {
    this.#seconds = keepalive;
    this.#keepAlive = new KeepAlive(table, routing);
    this.#sendDue = sendDue;
    this.#world = world;
  }

  get isOn(): boolean {
    return this.#seconds > 0;
  }

  async run(stop: AbortSignal): Promise<void> {
    await this.#world.every(LOOK_MS, () => this.#look(), stop);
  }

  reload({ keepalive }: Pick<AnytunOptions, "keepalive">): void {
    this.#seconds = keepalive;
  }

  #look(): void {
    const { elapsed } = this.#world;
    const due = this.#keepAlive.look(this.#seconds * 1000, elapsed());
    if (due.length > 0) this.#sendDue();
  }
}
