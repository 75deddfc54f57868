/** @module */
export type { SenderIdRange } from "./connection.ts";
