/**
 * A network namespace for tests of devices, and processes inside it.
 */

import assert from "node:assert/strict";
import type { DeviceSettings, TunTapOptions } from "../ffi/tuntap.ts";
import { whyNoLab } from "./missing.ts";
import type { Answer, Order } from "./scripts/device.ts";

const FLAGS = ["--quiet", "--no-prompt", "--no-lock"];

/** A network namespace with nothing in it but what a test opens there. */
export class DeviceLab implements AsyncDisposable {
  readonly #name = `at-ffi-${crypto.randomUUID().slice(0, 8)}`;
  readonly #processes: DeviceProcess[] = [];

  static async open(): Promise<DeviceLab> {
    const lab = new DeviceLab();
    await run("ip", "netns", "add", lab.#name);
    return lab;
  }

  ip(...args: string[]): Promise<string> {
    return run("ip", "-n", this.#name, ...args);
  }

  /** Runs a program to its end and returns its standard output. */
  exec(program: string, ...args: string[]): Promise<string> {
    return run("ip", "netns", "exec", this.#name, program, ...args);
  }

  /** Sets a value under /proc/sys. */
  set(name: string, value: string): Promise<string> {
    const script = `echo ${value} > /proc/sys/${name}`;
    return this.exec("sh", "-c", script);
  }

  /**
   * Runs a module of lab/scripts to its end.
   *
   * @returns What it wrote to standard output.
   */
  script(module: string, flags: string[], ...args: string[]): Promise<string> {
    const path = new URL(`./scripts/${module}`, import.meta.url).pathname;
    const deno = ["run", ...FLAGS, ...flags, path, ...args];
    return this.exec(Deno.execPath(), ...deno);
  }

  start(): DeviceProcess {
    return this.#start([]);
  }

  /** Starts a process of root's that may not administer the network. */
  startWithoutRight(): DeviceProcess {
    return this.#start(["setpriv", "--bounding-set=-net_admin"]);
  }

  #start(before: readonly string[]): DeviceProcess {
    const process = new DeviceProcess(this.#name, before);
    this.#processes.push(process);
    return process;
  }

  /** Starts a process and opens a device there. */
  async device(options: TunTapOptions): Promise<DeviceProcess> {
    const process = this.start();
    await process.call({ do: "open", options });
    return process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) await process.end();
    await run("ip", "netns", "del", this.#name);
  }
}

/** A process that opens one device; see lab/scripts/device.ts. */
export class DeviceProcess {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  #rest = "";
  #hasEnded = false;

  /** @param before A command that starts the process in its own way. */
  constructor(namespace: string, before: readonly string[]) {
    const path = new URL("scripts/device.ts", import.meta.url).pathname;
    const deno = [Deno.execPath(), "run", ...FLAGS, "--allow-ffi", path];
    const args = ["netns", "exec", namespace, ...before, ...deno];
    this.#child = new Deno.Command("ip", {
      args,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout
      .pipeThrough(new TextDecoderStream()).getReader();
  }

  /** @throws {assert.AssertionError} When the order failed. */
  async call(order: Order): Promise<unknown> {
    const answer = await this.try(order);
    if ("result" in answer) return answer.result;
    assert.fail(`${answer.code}: ${answer.message}`);
  }

  async try(order: Order): Promise<Answer> {
    await this.#orders.write(
      new TextEncoder().encode(`${JSON.stringify(order)}\n`),
    );
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#answers.read();
      if (done) assert.fail("the process ended without an answer");
      this.#rest += value;
    }
    const [line = "", ...rest] = this.#rest.split("\n");
    this.#rest = rest.join("\n");
    return JSON.parse(line);
  }

  configure(settings: DeviceSettings): Promise<unknown> {
    return this.call({ do: "configure", settings });
  }

  /** Reads until a packet comes that the test is about. */
  async readUntil(
    wanted: (packet: Uint8Array) => boolean,
  ): Promise<Uint8Array> {
    for (;;) {
      const read = await this.call({ do: "readAfterWaiting" });
      const packet = Uint8Array.fromHex(String(read));
      if (wanted(packet)) return packet;
    }
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    await this.#orders.close();
    await this.#answers.cancel();
    await this.#child.status;
  }
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args })
    .output();
  const text = new TextDecoder();
  if (!success) assert.fail(`${args.join(" ")}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

/**
 * Registers a test that needs a network namespace. Where there can be none it
 * is ignored, and its name says why.
 *
 * @param missing What else is missing, null if nothing is.
 */
export function deviceTest(
  name: string,
  body: (lab: DeviceLab) => Promise<void>,
  missing: string | null = null,
): void {
  const reason = whyNoLab() ?? missing;
  Deno.test({
    name: reason === null ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== null,
    async fn() {
      await using lab = await DeviceLab.open();
      await body(lab);
    },
  });
}
