/** Debian's etcd with records of a fleet, in a folder of the test. */
import { freePort } from "./free_port.ts";
import type { LabHost } from "./host.ts";
import { missingCommand } from "./missing.ts";
import {
  LabProcess,
  type Outcome,
  outcomeOf,
  PATIENCE_SECONDS,
  run,
} from "./process.ts";
import { until } from "./until.ts";

/** Certificates of {@linkcode makeAuthority}, by the names of their files. */
export interface StoreTls {
  readonly folder: string;
  /** Without `.pem` and `.key`. */
  readonly store: string;
}

/** How a store is started. */
export interface EtcdStart {
  /** Where it keeps its records. */
  readonly data: string;
  readonly tls?: StoreTls;
  /** In place of one that is free. */
  readonly port?: number;
  /** In place of one that is free, for other members. */
  readonly peerPort?: number;
  /** At whose loopback address; it needs a port then. */
  readonly host?: LabHost;
}

/** Says why there is no etcd, or null if there is. */
export function whyNoEtcd(): string | null {
  return missingCommand("etcd") ?? missingCommand("etcdctl");
}

/** An etcd of one member, at a loopback address. */
export class LabEtcd implements AsyncDisposable {
  readonly port: number;
  readonly process: LabProcess;
  readonly #tls: StoreTls | undefined;
  readonly #host: LabHost | undefined;

  private constructor(
    port: number,
    process: LabProcess,
    tls: StoreTls | undefined,
    host: LabHost | undefined,
  ) {
    this.port = port;
    this.process = process;
    this.#tls = tls;
    this.#host = host;
  }

  /** Starts it, and waits until it answers. */
  static async start(
    { data, tls, port, peerPort, host }: EtcdStart,
  ): Promise<LabEtcd> {
    const [own, peer] = [port ?? freePort(), peerPort ?? freePort()];
    const url = `${tls ? "https" : "http"}://127.0.0.1:${own}`;
    const peers = `http://127.0.0.1:${peer}`;
    const args = [
      ...["--name", "lab", "--data-dir", data, "--log-level", "warn"],
      ...["--listen-client-urls", url, "--advertise-client-urls", url],
      ...["--listen-peer-urls", peers],
      ...["--initial-advertise-peer-urls", peers],
      ...["--initial-cluster", `lab=${peers}`],
      ...(tls === undefined ? [] : [
        "--client-cert-auth",
        ...["--trusted-ca-file", `${tls.folder}/ca.pem`],
        ...["--cert-file", `${tls.folder}/${tls.store}.pem`],
        ...["--key-file", `${tls.folder}/${tls.store}.key`],
      ]),
    ];
    const process = host?.spawn("etcd", ...args) ??
      new LabProcess({ title: "etcd", program: "etcd", args });
    const store = new LabEtcd(own, process, tls, host);
    try {
      await until(
        "etcd answers",
        PATIENCE_SECONDS,
        async () => (await store.#outcome(["endpoint", "health"])).code === 0,
      );
    } catch (error) {
      await process.stop();
      throw new Error(`Cannot start etcd: ${process.lastWords}`, {
        cause: error,
      });
    }
    return store;
  }

  /** Of the store, without a prefix. */
  get url(): string {
    return `${this.#tls ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  /** Runs `etcdctl`, which must succeed, and returns what it prints. */
  ctl(...args: readonly string[]): Promise<string> {
    const command = this.#command(args);
    return this.#host?.run(command) ?? run(command);
  }

  /** All keys below a prefix. */
  async keys(prefix: string, ...args: readonly string[]): Promise<string[]> {
    const text = await this.ctl(
      ...["get", "--prefix", "--keys-only", prefix, ...args],
    );
    return text.split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
  }

  #outcome(args: readonly string[]): Promise<Outcome> {
    const command = this.#command(args);
    return this.#host?.outcome(command) ?? outcomeOf(command);
  }

  #command(args: readonly string[]): string[] {
    const tls = this.#tls;
    return [
      ...["env", "ETCDCTL_API=3", "etcdctl", "--endpoints", this.url],
      ...(tls === undefined ? [] : [
        ...["--cacert", `${tls.folder}/ca.pem`],
        ...["--cert", `${tls.folder}/${tls.store}.pem`],
        ...["--key", `${tls.folder}/${tls.store}.key`],
      ]),
      ...args,
    ];
  }
}

/** What a certificate says besides its name, as docs/fleet.md has them. */
export const EXTENSIONS = {
  /** Its gateway shows it to etcd itself. */
  store: [
    "subjectAltName=IP:127.0.0.1",
    "extendedKeyUsage=serverAuth,clientAuth",
  ],
  /** No address: whoever has it must not pose as the store. */
  member: ["extendedKeyUsage=clientAuth"],
} as const;

/**
 * Makes an authority with openssl, and a certificate of it for each of the
 * names: `store` is that of the store.
 */
export async function makeAuthority(
  folder: string,
  names: readonly (keyof typeof EXTENSIONS)[],
): Promise<void> {
  await newKey(`${folder}/ca`, ["-x509", "-subj", "/CN=fleet"]);
  for (const name of names) {
    await makeCertificate(folder, name, EXTENSIONS[name]);
  }
}

/**
 * One more certificate of that authority.
 * @param subject The store's gateway takes none with a common name
 */
export async function makeCertificate(
  folder: string,
  name: string,
  extensions: readonly string[],
  subject = "/O=fleet",
): Promise<void> {
  const file = `${folder}/${name}`;
  await newKey(file, ["-subj", subject]);
  Deno.writeTextFileSync(`${file}.ext`, `${extensions.join("\n")}\n`);
  await run([
    ...["openssl", "x509", "-req", "-in", `${file}.pem`, "-days", "30"],
    ...["-CA", `${folder}/ca.pem`, "-CAkey", `${folder}/ca.key`],
    ...["-CAcreateserial", "-extfile", `${file}.ext`, "-out", `${file}.pem`],
  ]);
}

async function newKey(file: string, args: readonly string[]): Promise<void> {
  await run([
    ...["openssl", "req", "-newkey", "ec", "-nodes"],
    ...["-pkeyopt", "ec_paramgen_curve:prime256v1"],
    ...["-keyout", `${file}.key`, "-out", `${file}.pem`, ...args],
  ]);
}
