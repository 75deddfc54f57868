/**
 * Clients that have nothing to say, beside the one that is measured.
 *
 * @module
 */

import type { Client } from "../../lab/clients.ts";

/** Connections besides the measured one. */
const OTHERS = 1000;

/** Routes of each of them. */
const ROUTES = 10;

const FIRST_MUX = 1000;

/** The crowd. */
export function crowd(): Client[] {
  return Array.from({ length: OTHERS }, (_, index) => ({
    mux: FIRST_MUX + index,
    passphrase: `client ${index}`,
    networks: Array.from({ length: ROUTES }, (_, k) => {
      const number = index * ROUTES + k;
      return `10.${number >> 8}.${number & 255}.0/24`;
    }),
  }));
}
