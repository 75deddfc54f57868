// Feed of a server: for clients that say hello.
import type { Hello } from "./extension.ts";

export interface Feed {
  /** @returns What this client does not know yet, and then what changes */
  follow(hello: Hello): FeedCursor;
}

/** The place of one client in a feed. */
export interface FeedCursor {
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
