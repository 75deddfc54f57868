import type { SkippedScenario } from "../scenario.ts";

/**
 * Throughput with 1000 connections and 10000 routes against one connection.
 *
 * It needs a program that takes its connections and routes from a file at
 * start.
 */
export const scale: SkippedScenario = {
  name: "scale",
  skip: "no program loads 1000 connections and 10000 routes at start yet",
};
