/** @module */
export type { AnytunOptions } from "./anytun.ts";
