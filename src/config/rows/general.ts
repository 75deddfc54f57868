/**
 * Options that print a text and end the program.
 *
 * @module
 */
import { action } from "../option.ts";

/** `-h` and `-v`. */
export const generalRows = {
  help: action("help", {
    short: "-h",
    long: "--help",
    help: "print this text and exit",
  }),
  version: action("version", {
    short: "-v",
    long: "--version",
    help: "print the version and exit",
  }),
};
