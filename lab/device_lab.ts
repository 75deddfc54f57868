import assert from "node:assert/strict";
import type { DeviceSettings, TunTapOptions } from "../ffi/tuntap/mod.ts";
import { Hosts, type LabHost, scriptCommand } from "./host.ts";
import { type LabProcess, PATIENCE_SECONDS } from "./process.ts";
import type { Answer, Order } from "./scripts/device.ts";

/** A host with nothing on it but the devices that a test opens there. */
export class DeviceLab implements AsyncDisposable {
  readonly #hosts: Hosts;
  readonly #host: LabHost;

  private constructor(hosts: Hosts) {
    this.#hosts = hosts;
    this.#host = hosts.at(0);
  }

  static async open(): Promise<DeviceLab> {
    const tag = crypto.randomUUID().slice(0, 8);
    return new DeviceLab(await Hosts.make([`ffi-${tag}`]));
  }

  /** Runs `ip` on the host. */
  ip(...args: string[]): Promise<string> {
    return this.#host.ip(...args);
  }

  /** Runs a program to its end and returns its standard output. */
  exec(program: string, ...args: string[]): Promise<string> {
    return this.#host.exec(program, ...args);
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
  script(module: string, ...args: string[]): Promise<string> {
    const argv = [...scriptCommand(module), ...args];
    return this.#host.run(argv);
  }

  start(): DeviceProcess {
    return this.#start([]);
  }

  /** Starts a process of root's that may not administer the network. */
  startWithoutRight(): DeviceProcess {
    return this.#start(["setpriv", "--bounding-set=-net_admin"]);
  }

  /** Starts a process and opens a device there. */
  async device(options: TunTapOptions): Promise<DeviceProcess> {
    const process = this.start();
    await process.call({ do: "open", options });
    return process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]();
  }

  /** @param before A command that starts the process in its own way. */
  #start(before: readonly string[]): DeviceProcess {
    const command = scriptCommand("device.ts", ["--allow-ffi"]);
    const [program = "", ...args] = [...before, ...command];
    return new DeviceProcess(this.#host.spawn(program, ...args));
  }
}

/** A process that opens one device; see lab/scripts/device.ts. */
export class DeviceProcess {
  readonly #process: LabProcess;

  constructor(process: LabProcess) {
    this.#process = process;
  }

  /** @throws {assert.AssertionError} When the order failed. */
  async call(order: Order): Promise<unknown> {
    const answer = await this.try(order);
    if ("result" in answer) return answer.result;
    assert.fail(`${answer.code}: ${answer.message}`);
  }

  async try(order: Order): Promise<Answer> {
    const seen = this.#process.lines.length;
    await this.#process.tell(JSON.stringify(order));
    return JSON.parse(await this.#process.line(/^{/, PATIENCE_SECONDS, seen));
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
    await this.#process.closeInput();
    await this.#process.ended;
  }
}
