/**
 * Uses the published TUN/TAP door in a process with no permission but
 * --allow-ffi, as told line by line on standard input. Started by
 * tests/e2e/tuntap_test.ts inside a network namespace.
 */

import { openTunTap, type TunTap, TunTapError } from "../../ffi/tuntap/mod.ts";
import type { DeviceSettings, TunTapOptions } from "../../ffi/tuntap/mod.ts";

/** One order to the process; packets are in hexadecimal. */
export type Order =
  | { readonly do: "open"; readonly options: TunTapOptions }
  | { readonly do: "configure"; readonly settings: DeviceSettings }
  | { readonly do: "describe" }
  | { readonly do: "write"; readonly packet: string }
  | { readonly do: "read" }
  | { readonly do: "readAfterWaiting" }
  | { readonly do: "closeWhileWaiting" }
  | { readonly do: "close" };

/** What became of an order. */
export type Answer =
  | { readonly result: unknown }
  | { readonly code: string; readonly message: string };

class Obedient {
  #device: TunTap | undefined;

  async obey(order: Order): Promise<unknown> {
    if (order.do === "open") {
      this.#device = openTunTap(order.options);
      return describe(this.#device);
    }
    const device = this.#device;
    if (device === undefined) throw new Error("Cannot obey: no device is open");
    switch (order.do) {
      case "configure":
        return device.configure(order.settings);
      case "describe":
        return describe(device);
      case "write":
        return device.write(Uint8Array.fromHex(order.packet));
      case "read":
        return read(device);
      case "readAfterWaiting":
        return await device.readable() ? read(device) : "closed";
      case "closeWhileWaiting":
        return await closeWhileWaiting(device);
      case "close":
        return device.close();
    }
  }
}

function describe({ name, type, mtu }: TunTap): unknown {
  return { name, type, mtu };
}

function read(device: TunTap): string {
  const packet = new Uint8Array(2048);
  return packet.subarray(0, device.read(packet)).toHex();
}

/** @returns What the last wait said. */
async function closeWhileWaiting(device: TunTap): Promise<boolean> {
  const packet = new Uint8Array(2048);
  while (device.read(packet) > 0);
  const wait = device.readable();
  device.close();
  return await wait;
}

async function obeyed(obedient: Obedient, line: string): Promise<Answer> {
  try {
    return { result: await obedient.obey(JSON.parse(line)) ?? null };
  } catch (error) {
    if (!(error instanceof TunTapError)) throw error;
    return { code: error.code, message: error.message };
  }
}

async function main(): Promise<void> {
  const obedient = new Obedient();
  const encoder = new TextEncoder();
  let rest = "";
  for await (
    const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const answer = await obeyed(obedient, line);
      await Deno.stdout.write(encoder.encode(`${JSON.stringify(answer)}\n`));
    }
  }
}

if (import.meta.main) await main();
