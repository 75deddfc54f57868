/** A browser on a host of the lab, and one page in it. */
import { type LabHost, scriptCommand } from "./host.ts";
import { type LabProcess, PATIENCE_SECONDS } from "./process.ts";
import { until } from "./until.ts";

/** How a page is shown. */
interface View {
  readonly width: number;
  readonly height: number;
  readonly colors: "light" | "dark";
}

/** One message of the DevTools protocol. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export class Browser implements AsyncDisposable {
  readonly #process: LabProcess;
  readonly #profile: string;
  #id = 0;

  private constructor(process: LabProcess, profile: string) {
    this.#process = process;
    this.#profile = profile;
  }

  static async open(host: LabHost): Promise<Browser> {
    const profile = Deno.makeTempDirSync({ prefix: "anytun-test-" });
    const flags = ["--allow-net", "--allow-run=chromium"];
    const [program = "", ...args] = scriptCommand("browser.ts", flags);
    const process = host.spawn(program, ...args, profile);
    const browser = new Browser(process, profile);
    for (const domain of ["Page", "Runtime", "Network", "Log"]) {
      await browser.call(`${domain}.enable`);
    }
    return browser;
  }

  /** @throws {Error} The browser has refused. */
  async call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#id;
    await this.#process.tell(JSON.stringify({ id, method, params }));
    const line = await this.#process.line(
      new RegExp(`^\\{"id":${id}[,}]`),
      2 * PATIENCE_SECONDS,
    );
    const { result, error }: Message = JSON.parse(line);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** What the browser has said of its own accord. */
  events(method: string): readonly unknown[] {
    return this.#process.lines.filter((line) => line.startsWith('{"method"'))
      .map((line): Message => JSON.parse(line))
      .filter((message) => message.method === method)
      .map(({ params }) => params);
  }

  async open(url: string): Promise<void> {
    await this.call("Page.navigate", { url });
  }

  async show({ width, height, colors }: View): Promise<void> {
    await this.call("Emulation.setDeviceMetricsOverride", {
      ...{ width, height, deviceScaleFactor: 1, mobile: width < 500 },
    });
    await this.call("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: colors }],
    });
  }

  /** @returns What an expression of the page comes to, as JSON has it. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.call("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    }) as {
      readonly result: { readonly value?: unknown };
      readonly exceptionDetails?: unknown;
    };
    if (answer.exceptionDetails === undefined) return answer.result.value;
    throw new Error(
      `${expression}: ${JSON.stringify(answer.exceptionDetails)}`,
    );
  }

  /** Waits until an expression of the page is true. */
  async until(expression: string): Promise<void> {
    await until(
      async () => {
        const text = await this.evaluate("document.body.innerText");
        return `${expression}, but ${text}`;
      },
      PATIENCE_SECONDS,
      async () => await this.evaluate(expression) === true,
    );
  }

  /** Presses a key, such as `Tab`. */
  async press(key: string, code: number): Promise<void> {
    const text = key === "Enter" ? { text: "\r" } : {};
    const event = { key, code: key, windowsVirtualKeyCode: code };
    const down = { type: "keyDown", ...event, ...text };
    await this.call("Input.dispatchKeyEvent", down);
    await this.call("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** @returns A picture of what is in view, as PNG. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.call("Page.captureScreenshot", {
      format: "png",
      optimizeForSpeed: false,
    }) as { readonly data: string };
    return Uint8Array.fromBase64(data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.closeInput().catch(() => {});
    await this.#process.stop();
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {});
  }
}
