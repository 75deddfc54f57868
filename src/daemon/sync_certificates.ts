// Certificates of the sync stream, which are replaced before they run out:
// handshakes from then on show and believe others.
import type { Logger } from "../log/logger.ts";
import type { TlsIdentity } from "../sync/tls_identity.ts";
import type { SyncTrust } from "../sync/transport.ts";
import type { Service } from "./lifecycle.ts";

export class SyncCertificates<O> implements Service<O> {
  readonly name = "certificates of sync";
  readonly #trustOf: (options: O) => SyncTrust;
  readonly #logger: Logger;
  readonly #isUsed: boolean;
  #present: SyncTrust;

  constructor(options: O, trustOf: (options: O) => SyncTrust, logger: Logger) {
    this.#trustOf = trustOf;
    this.#logger = logger;
    this.#present = trustOf(options);
    this.#isUsed = this.#present.syncTls !== undefined;
  }

  /** Where there are none, it takes another start to have some. */
  get live(): readonly string[] {
    const live = ["syncTlsCert", "syncTlsKey", "syncTlsCa"];
    return this.#isUsed ? live : [];
  }

  /** Those of now, at any time. */
  get identity(): TlsIdentity | undefined {
    if (!this.#isUsed) return undefined;
    const now = () => this.#present.syncTls ?? NOBODY;
    return {
      get certificate() {
        return now().certificate;
      },
      get key() {
        return now().key;
      },
      get authority() {
        return now().authority;
      },
    };
  }

  /** @throws if there are none any more */
  check(next: O): void {
    if (!this.#isUsed || this.#trustOf(next).syncTls !== undefined) return;
    throw new Error(
      "the sync stream cannot lose its certificates while the daemon runs " +
        "(--sync-tls-cert): restart it",
    );
  }

  reload(next: O): void {
    const before = this.#present.syncTls;
    this.#present = this.#trustOf(next);
    const { syncTls: after } = this.#present;
    const isSame = before?.certificate === after?.certificate &&
      before?.key === after?.key && before?.authority === after?.authority;
    if (isSame) return;
    this.#logger.notice(
      "certificates of sync have changed (--sync-tls-cert): connections from " +
        "now on use the new ones",
    );
  }
}

const NOBODY: TlsIdentity = { certificate: "", key: "", authority: "" };
