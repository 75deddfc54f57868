// Longer texts on the options about a fleet and its store.
import type { Texts } from "../texts.ts";

export default {
  "source": `Where the records of the clients are: etcd, 3.4 or newer, by its
    gateway of HTTP, as "https://<host>:<port>/<prefix>". There may be several
    hosts of one cluster, with commas between them; the others are asked where
    one does not answer. The port is 2379 and the prefix "/anytun" unless given.
    With "http", which a warning says but for this host, whoever can listen reads
    all keys. This, who to be there and the files of both need a restart of the
    control daemon; HUP names in the log what has changed.`,
  "source-ca": `The authority that has signed the certificate of the store, as
    PEM. The certificate has to be for the host in --source. Authorities that the
    runtime brings along count as well.`,
  "source-cert": `The certificate to show to the store, as PEM. It says who may
    connect, and not who somebody is: etcd refuses one with a common name at its
    gateway. See --source-user.`,
  "source-key":
    `The private key of --source-cert, as PEM without a passphrase. A
    warning says if others may read the file.`,
  "source-user": `Who to be to the store. Its users have roles, which say what
    they may read and write: a control daemon nothing but read.`,
  "source-password-file":
    `Reads the password of --source-user from this file, or
    from standard input where it is "-". A line end after it does not count. A
    warning says if others may read the file.`,
  "source-allow-loss": `Believes the store when all clients are missing there
    at once, or more than half of them and more than ten, and removes them.
    Without it these stay, and an error in the log says so: a store that was
    made anew, or comes back without its data, looks like that. What is deleted
    while it is watched goes at once, with or without it. A HUP takes it over:
    set it, send the HUP, and take it away again.`,
  "anytun-controld state-dir": `Folder that keeps the clients of --source, their
    keys included, for a start without the store: in one file for each prefix,
    which the user of the daemon alone may read. The folder has to belong to root
    or to the user of --username, and nobody else may write to it. Without the
    option it is the first folder of "$STATE_DIRECTORY", as systemd sets it
    ("/var/lib/anytun" in the package's unit), or "/var/lib/anytun-controld";
    where that cannot be used nothing is kept, and a warning says so. "none"
    keeps nothing. A control daemon that has nothing there, and no answer of the
    store yet, runs, and lets no server in.`,
  "anytun-fleet json": `With "list", prints a line of JSON for each client, for
    other programs. There are no keys in it.`,
  "out":
    `With "add" and "rotate", writes the config for the client's side to this
    new file, which its owner alone may read, or to standard output where it is
    "-". It has the keys in it, if they were made here. Without it a key that was
    made would be lost, and is not made. "rotate" of a client with a key chain
    makes nothing for it, and refuses it without --chain.`,
  "server": `With "add", where the client reaches its servers, for its config:
    "<host>:<port>", the port 4444 unless given. The records know nothing of it.`,
  "address": `With "add", the address that the client has in the tunnel, for its
    config, such as "10.99.0.5/24". The address itself becomes a route to it. One
    that another client has, here or by --route, is refused; of a --route of
    another one there is a warning, as there may be two ways to it.`,
  "anytun-fleet mux": `Number of the connection, the same on both sides: 0 to
    65535, and the lowest one from 1 on that is free unless given. No two clients
    have the same one, also where two programs add some at once.`,
  "anytun-fleet window-size":
    `The size of the replay window that servers have for the client, and the
    client for them: 1024 unless given, 0 for none. A client that runs an
    original anytun needs 0: its numbers begin anew with each start.`,
  "anytun-fleet remote-host":
    `Where the client is, an address, as long as it was
    not heard. Without it servers wait for its first packet.`,
  "anytun-fleet chain":
    `Makes a key chain for the client in place of a key and a
    salt. It is in the store, and in --chain-file for the client.`,
  "anytun-fleet chain-file": `With --chain, writes the chain to this new file,
    which its owner alone may read. The client has it in a folder where its
    daemon may write.`,
} satisfies Texts;
