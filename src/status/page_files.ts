// Stand-in
import type { Response } from "./response.ts";
export const PAGE_FILES: Readonly<Record<string, Omit<Response, "status">>> =
  {};
