// Peers that members have told of too early: of connections that are not known here,
// or have other keys. It counts as soon as those keys are known.
//
// Everybody hears everybody, in any order: a member that has a new client, or new
// keys, from the control daemon a moment earlier tells where the client is, and
// does not repeat it.
import type { ConnectionRecord } from "./record.ts";

/** Without keys, and without the window, which nobody learns. */
export type ToldPeer = Pick<ConnectionRecord, "mux" | "seq" | "endpoint">;

interface Told {
  readonly by: string;
  readonly statement: string;
  readonly peer: ToldPeer;
}

export class ToldPeers {
  /** By mux, the most recent one last: of each member one, of each statement one. */
  readonly #told = new Map<number, readonly Told[]>();

  /**
   * In place of what this member has told of it before.
   *
   * @param statement Of the keys that it has there
   */
  note(by: string, statement: string, { mux, seq, endpoint }: ToldPeer): void {
    const told = { by, statement, peer: { mux, seq, endpoint } };
    const others = this.#of(mux)
      .filter((one) => one.by !== by && one.statement !== statement);
    this.#told.set(mux, [...others, told]);
  }

  /** What was told last of a connection with these keys, once. */
  take(mux: number, statement: string): ToldPeer | undefined {
    const found = this.#of(mux).find((one) => one.statement === statement);
    if (found !== undefined) this.#drop(mux, found);
    return found?.peer;
  }

  /** This member says that there is no such connection any more. */
  forget(by: string, mux: number): void {
    const found = this.#of(mux).find((one) => one.by === by);
    if (found !== undefined) this.#drop(mux, found);
  }

  #of(mux: number): readonly Told[] {
    return this.#told.get(mux) ?? [];
  }

  #drop(mux: number, told: Told): void {
    const left = this.#of(mux).filter((one) => one !== told);
    if (left.length === 0) this.#told.delete(mux);
    else this.#told.set(mux, left);
  }
}
