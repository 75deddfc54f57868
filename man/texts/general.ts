// Longer texts on the options of every program and of every daemon.
import type { Texts } from "../texts.ts";

export default {
  "help": `Prints what options there are on standard output, and ends with
    status 0. What stands behind it is not looked at.`,
  "version": `Prints the version of the program, of Deno and of V8, and ends
    with status 0.`,
  "config": `Takes options from this file too. Those of arguments prevail, and
    what neither gives has its default. A file is YAML: the long names of options
    without their dashes are the keys, "true" or "false" is the value of an
    option without an argument, and what may be given several times is a list.
    Values are taken as they are written, so that "null" is a cipher and "off" a
    word. Anchors, aliases, tags, nested values, a second document and keys that
    are there twice are errors, each with its line and column. A bare name
    stands for "/etc/anytun/<name>.yaml", or, where that is not there, for
    "/etc/anytun/<name>/config", which has the format of Debian's package: one
    option a line without its dashes, and comments from "#" on; "post-up.sh"
    beside it is run when the device is there. Secrets may be in the file
    if nobody else can read it. The originals have no such option.`,
  "nodaemonize": `Stays in the foreground, where the log goes to standard error
    unless --log says otherwise. Use it under systemd or another supervisor.
    Without it the daemon goes to the background as soon as it is ready, and
    the exit status of the caller says whether it is: the originals return 0
    before the device is open.`,
  "username": `When everything is set up, the daemon becomes this user for good.
    Device, addresses, post-up program, sockets, pid file and log files come
    before that, so that ports below 1024 work too. An unknown user is an error.
    Debian's package makes the user "anytun" for it. What the user has to be
    able to write is the folder of a key chain alone.`,
  "groupname": `The group to become together with --username, in place of the
    primary group of that user. All other groups are given up. It does nothing
    by itself.`,
  "chroot":
    `Everything outside of this folder is out of sight when everything is
    set up. A failure is fatal, where the original goes on. Names of hosts need
    "/etc/resolv.conf" and the like inside of the folder if they are to be looked
    up later.`,
  "no-sandbox":
    `Leaves system calls, files and capabilities of the daemon as they
    are. Otherwise, when everything is set up, seccomp and Landlock restrict it
    to what its options take. A start without the sandbox warns. Use it only to
    find out whether the sandbox is in the way of something.`,
  "write-pid":
    `Writes the process id to this file, in decimal without a newline,
    in place of a file of this name, and removes it at the end where --username
    and --chroot let it. The file is written in the foreground, too.`,
  "start-timeout": `How many seconds the caller of a daemon that goes to the
    background waits until it is ready: 30 unless given, at most 86400, and 0 to
    wait without end. After that it says what is being waited for, and ends with
    status 0; the daemon goes on.`,
  "log": `Where log lines go, and which: "stdout:<level>", "stderr:<level>",
    "file:<level>,<path>" or
    "syslog:<level>,<ident>,<facility>". Levels are 0 for
    nothing, 1 for errors, 2 for warnings too, 3 for notices, 4 for
    informations and 5 for everything. It may be given several times, with
    several files, but only once for each of the others. The path of a file is
    "anytun.log" unless given, the facility "daemon". A target that cannot be
    opened is an error. A log file is a regular file that has no second name, or
    a character device. It is opened anew by HUP and USR2, after it was moved
    away.`,
  "log-format": `How lines look in files and streams: "text", as the original
    writes them, or "json", one object a line with time, level and message.
    Syslog has a format of its own.`,
  "debug": `The same as --nodaemonize --log "stdout:5".`,
} satisfies Texts;
