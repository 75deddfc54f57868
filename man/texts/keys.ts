// Longer texts on the options about keys and algorithms.
import type { Texts } from "../texts.ts";

export default {
  "passphrase":
    `Master key and salt are made of this text, as the originals make
    them, by one SHA-256 and one SHA-1: a short text is cheap to guess. It
    stands in the list of processes until the daemon runs, about a quarter of a
    second, and in the history of the shell, which a warning says. Use
    --key-file and --salt-file.`,
  "key": `Master key as hexadecimal digits: 32, 48 or 64 of them, as --kd-prf
    wants. Both ends need the same. It can be read in the list of processes
    until the daemon runs: --key-file is the better way. The originals go on
    with a key of zeros where it is missing or too short; this program does not
    start.`,
  "salt":
    `Master salt as 28 hexadecimal digits. Both ends need the same. As with
    --key, a file is the better way.`,
  "passphrase-file":
    `Reads the passphrase from this file, or from standard input
    where it is "-". A line end after it does not count. A start warns of files
    that others may read. Credentials of a systemd service, "key", "salt" and
    "passphrase", stand in for what is not given; beside a passphrase the first
    two do not count.`,
  "key-file": `Reads the master key, hexadecimal digits, from this file, or from
    standard input where it is "-". "anytun genkey" makes one. A start warns if
    others may read the file. It is read before privileges are dropped. Standard
    input is read once, by the start, also where a config file names it, and a
    HUP takes what it said then: one that is named only since needs a restart,
    and "anytun check" does not look at it.`,
  "salt-file": `Reads the master salt, 28 hexadecimal digits, from this file, or
    from standard input where it is "-". "anytun genkey" makes one.`,
  "key-chain":
    `Takes keys that change with time from this file, in place of key,
    salt and passphrase. "anytun genkey --chain" makes one, and the peer has a
    copy of it. Clocks have to agree to a minute, or a quarter of the interval
    where that is less. The daemon replaces the file when it has heard the peer
    with a new key: the user whom it becomes has to be able to write to the
    folder. The peer has to be this program, too.`,
  "kd-prf": `How the keys of each datagram are derived: "aes-ctr-128" (or
    "aes-ctr"), "aes-ctr-192" or "aes-ctr-256", with master keys of 32, 48 or 64
    digits, and "aes-ctr-128" unless given. "null" derives nothing: no keys at
    all, for measurements. Both ends need the same.`,
  "cipher": `Encryption: "aes-ctr-128" (or "aes-ctr"), "aes-ctr-192",
    "aes-ctr-256", or "null" for none, which a warning says; "aes-ctr-128" unless
    given. Both ends need the same. Where they differ the tags are right and the
    packets are garbage, which shows as wrong payload types.`,
  "auth-algo": `Authentication: "sha1" (HMAC-SHA1), or "null" for none, where
    everybody can send datagrams into the tunnel; "sha1" unless given. Both ends
    need the same.`,
  "auth-tag-length": `Length of the authentication tag in bytes, 0 to 20, and 10
    unless given. Both ends need the same. Each byte less makes a forgery 256
    times as likely; less than 8 is warned of.`,
  "anytun-genkey key-file": `Writes the key to this new file, which its owner
    alone may read, in place of printing it. --salt-file goes with it: both
    files are written, or none.`,
  "anytun-genkey salt-file": `Writes the salt to this new file, which its owner
    alone may read.`,
  "anytun-genkey kd-prf": `The key derivation that the key is for: "aes-ctr-128"
    (or "aes-ctr"), "aes-ctr-192" or "aes-ctr-256". Unless given it is
    "aes-ctr-128", and the key has 32 digits.`,
  "chain": `Makes a key chain, for --key-chain at both ends, in place of a key
    and a salt.`,
  "interval": `How long each key of the chain is used: a number of seconds, or
    with "m", "h" or "d" of minutes, hours or days, from "60" to "30d", and "1h"
    unless given. A key stops being derivable from what is left on the disk
    about this long after its time.`,
  "chain-file": `Writes the chain to this new file, which its owner alone may
    read, in place of printing it. Use a folder of its own: the daemon that takes
    it has to write there.`,
} satisfies Texts;
