// Feed of a server: for clients that say hello.
import type { Hello } from "./extension.ts";

export interface Feed {
  /** A client has come, which may say hello. */
  enter(): FeedCursor;
  /** Waited for before a client begins. */
  ready?(): Promise<void>;
}

/** The place of one client in a feed. */
export interface FeedCursor {
  /** It has said hello: now comes what it does not know yet, and what changes. */
  begin(hello: Hello): void;
  /**
   * Whole frames that come next.
   * @param bytes About how many at most
   * @returns "" if there is nothing new
   */
  take(bytes: number): string;
  /** Says how far the client has come, where that went without records. */
  progress(): string;
  /** The client is gone. */
  close(): void;
}
