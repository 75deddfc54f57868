import type { SystemdHost } from "../../../lab/systemd_host.ts";

export const PATIENCE = { seconds: 120 };

export const CONFIG = `role: left
remote-host: 192.0.2.2
remote-port: 4444
ifconfig: 10.99.0.1/30
window-size: 64
`;

export function write(host: SystemdHost, text: string): Promise<string> {
  return host.sh(`
    umask 077
    cat >/etc/anytun/walk.yaml <<'END'\n${text}END
    chgrp anytun /etc/anytun/walk.yaml
    chmod 640 /etc/anytun/walk.yaml
  `);
}

export async function carry(host: SystemdHost): Promise<void> {
  await host.sh(
    "for try in 1 2 3 4 5 6 7 8 9 10; do " +
      "ping -q -c 1 -W 1 10.99.0.2 && exit; done; exit 1",
  );
}

export function mainPid(host: SystemdHost): Promise<string> {
  return host.sh("systemctl show --property MainPID --value anytun@walk");
}
