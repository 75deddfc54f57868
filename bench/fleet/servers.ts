// Processes of the stores, each in a folder of its own.
import { LabEtcd } from "../../lab/etcd.ts";
import { freePort } from "../../lab/free_port.ts";
import { LabProcess } from "../../lab/process.ts";
import type { StoreName } from "./store.ts";

/** A store that runs. */
export interface Server {
  readonly port: number;
  readonly process: LabProcess;
}

/** Starts one, or starts it again at the same port with the same records. */
export async function startServer(
  name: StoreName,
  data: string,
  port?: number,
): Promise<Server> {
  if (name === "etcd") {
    return await LabEtcd.start({ data, ...(port && { port }) });
  }
  const own = port ?? freePort();
  const process = new LabProcess({
    title: "nats-server",
    program: "nats-server",
    args: ["-js", "-sd", data, "-a", "127.0.0.1", "-p", String(own)],
  });
  await process.line(/Server is ready/);
  return { port: own, process };
}
