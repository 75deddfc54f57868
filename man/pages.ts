// All manual pages.
import { anytunPage } from "./pages/anytun.ts";
import { checkPage } from "./pages/anytun_check.ts";
import { configPage } from "./pages/anytun_config.ts";
import { controldPage } from "./pages/anytun_controld.ts";
import { fleetPage } from "./pages/anytun_fleet.ts";
import { drainPage, undrainPage } from "./pages/anytun_drain.ts";
import { genkeyPage } from "./pages/anytun_genkey.ts";
import { healthPage } from "./pages/anytun_health.ts";
import { showConfigPage } from "./pages/anytun_show_config.ts";
import { showtablesPage } from "./pages/anytun_showtables.ts";
import { statusPage } from "./pages/anytun_status.ts";
import { withdrawPage } from "./pages/anytun_withdraw.ts";
import { yamlPage } from "./pages/anytun_yaml.ts";
import { helpOf, termsIn } from "./help_sections.ts";
import { type Known, optionsSection, type Page } from "./page.ts";
import { TABLES } from "./programs.ts";
import { readTexts } from "./texts.ts";
import type { ProgramName } from "../src/config/programs.ts";

const PROGRAM_PAGES: Readonly<Record<ProgramName, (known: Known) => Page>> = {
  "anytun": anytunPage,
  "anytun-check": checkPage,
  "anytun-config": configPage,
  "anytun-controld": controldPage,
  "anytun-fleet": fleetPage,
  "anytun-drain": drainPage,
  "anytun-genkey": genkeyPage,
  "anytun-health": healthPage,
  "anytun-show-config": showConfigPage,
  "anytun-showtables": showtablesPage,
  "anytun-status": statusPage,
  "anytun-undrain": undrainPage,
  "anytun-withdraw": withdrawPage,
};

export async function allPages(): Promise<Page[]> {
  const texts = await readTexts();
  const programs = Object.entries(PROGRAM_PAGES).map(
    async ([name, page]) => {
      const program = name as ProgramName;
      const help = await helpOf(program);
      return page({
        options: optionsSection(program, TABLES[program], texts),
        help: (title) => termsIn(help, title),
      });
    },
  );
  return [...await Promise.all(programs), yamlPage];
}
