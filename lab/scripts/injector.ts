/**
 * Hears and injects Ethernet frames on the bridge of a lab, through a TAP
 * device of its own. Runs on the host of the bridge, as a script: `<device>`;
 * says `listening` when the device is there. Each line of standard input is an
 * {@link Injection}.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { openTunTap, type TunTap } from "../../ffi/tuntap/mod.ts";
import { Flood, type FloodOrder } from "../flood.ts";
import { payloadOf } from "../frames.ts";
import { say } from "./say.ts";

/** What the script is told to do. */
export type Injection =
  /** Keeps the next datagrams from an address; says `recorded <count>`. */
  | { readonly do: "record"; readonly from: string; readonly count: number }
  /** Sends until it is told to stop; says `flooding`. */
  | { readonly do: "flood"; readonly order: FloodOrder }
  /** Says `sent <count>`: how far the flood has come. */
  | { readonly do: "flooded" }
  | { readonly do: "stop" }
  /** Says `heard <count>`: datagrams to an address since the last time. */
  | { readonly do: "heard"; readonly to: string };

const FRAME_BYTES = 2048;
const TICK_MS = 1;

class Injector {
  readonly #device: TunTap;
  readonly #recorded: Uint8Array[] = [];
  readonly #heard = new Map<string, number>();
  #wanted = { from: "", count: 0 };
  #flood: Flood | undefined;

  constructor(device: TunTap) {
    this.#device = device;
  }

  async listen(): Promise<void> {
    const frame = new Uint8Array(FRAME_BYTES);
    while (await this.#device.readable()) {
      for (let size; (size = this.#device.read(frame)) > 0;) {
        this.#hear(frame.subarray(0, size));
      }
    }
  }

  obey(injection: Injection): void {
    switch (injection.do) {
      case "record":
        this.#recorded.length = 0;
        this.#wanted = injection;
        return;
      case "flood":
        return void this.#send(new Flood(injection.order, this.#recorded));
      case "flooded":
        return say(`sent ${this.#flood?.sent ?? 0}`);
      case "stop":
        this.#flood = undefined;
        return;
      case "heard":
        say(`heard ${this.#heard.get(injection.to) ?? 0}`);
        this.#heard.clear();
    }
  }

  #hear(frame: Uint8Array): void {
    const found = payloadOf(frame);
    if (found === undefined) return;
    this.#heard.set(found.to, (this.#heard.get(found.to) ?? 0) + 1);
    const { from, count } = this.#wanted;
    if (found.from !== from || this.#recorded.length === count) return;
    this.#recorded.push(found.payload.slice());
    if (this.#recorded.length === count) say(`recorded ${count}`);
  }

  async #send(flood: Flood): Promise<void> {
    this.#flood = flood;
    const began = performance.now();
    say("flooding");
    while (this.#flood === flood) {
      const due = flood.dueAfter((performance.now() - began) / 1000);
      for (let k = 0; k < due; k++) this.#device.write(flood.next());
      await delay(TICK_MS);
    }
  }
}

if (import.meta.main) {
  using device = openTunTap({ name: Deno.args[0] ?? "", type: "tap" });
  const injector = new Injector(device);
  void injector.listen();
  say("listening");
  for await (const line of createInterface({ input: process.stdin })) {
    injector.obey(JSON.parse(line));
  }
}
