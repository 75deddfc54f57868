// Addition of a client to a fleet.
import type { AddOptions } from "../config/fleet.ts";
import { recordText } from "../config/fleet_record.ts";
import { clientYaml } from "../config/fleet_yaml.ts";
import { newChain } from "../daemon/chain_text.ts";
import { wipeSecrets } from "../satp/secrets.ts";
import { ClientFiles } from "./client_files.ts";
import type { FleetHost } from "./fleet_host.ts";
import { checkRoutes } from "./fleet_routes.ts";
import { givenSecrets, madeSecrets } from "../daemon/new_secrets.ts";

export async function addClient(
  options: AddOptions,
  host: FleetHost,
): Promise<void> {
  const { clients, libc, tell } = host;
  const { keys, kdPrf, name } = options;
  await checkRoutes(options, host);
  const made = keys.kind === "made" ? madeSecrets(kdPrf) : undefined;
  const secrets = keys.kind === "given"
    ? await givenSecrets(keys.secrets, kdPrf)
    : made;
  const chain = keys.kind === "chain"
    ? newChain(keys.interval, Date.now() / 1000)
    : undefined;
  const files = new ClientFiles(options, libc, Deno.stdout);
  const mux = await files.forChange(() =>
    clients.add({
      name,
      mux: options.mux,
      chain,
      textFor(mux) {
        files.write({ config: clientYaml(options, mux, made), chain });
        return recordText(options, mux, secrets);
      },
    })
  );
  if (secrets !== undefined) wipeSecrets(secrets);
  tell(`'${name}' is added, with mux ${mux}`);
}
