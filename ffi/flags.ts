// Numbers of Linux that its calls take: the same on x86-64 and aarch64 unless
// it is said. `AF.UNIX` is AF_UNIX of the headers, and so on.

// aarch64 has flags of its own (arch/arm64/include/uapi/asm/fcntl.h).
const isArm = Deno.build.arch === "aarch64";

/** open(2), include/uapi/asm-generic/fcntl.h */
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  ACCMODE: 3,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
  DIRECTORY: isArm ? 0o40000 : 0o200000,
  NOFOLLOW: isArm ? 0o100000 : 0o400000,
} as const;

/** fcntl(2), include/uapi/asm-generic/fcntl.h */
export const F = { GETFD: 1, SETFD: 2, GETFL: 3 } as const;
export const FD_CLOEXEC = 1;

/** openat(2), include/uapi/linux/fcntl.h */
export const AT = {
  FDCWD: -100,
  SYMLINK_NOFOLLOW: 0x100,
  EMPTY_PATH: 0x1000,
} as const;

/** eventfd(2), include/uapi/linux/eventfd.h */
export const EFD = { NONBLOCK: O.NONBLOCK, CLOEXEC: O.CLOEXEC } as const;

/** Address families of socket(2), include/linux/socket.h */
export const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 } as const;

/** Types of socket(2), include/linux/net.h */
export const SOCK = {
  STREAM: 1,
  DGRAM: 2,
  RAW: 3,
  SEQPACKET: 5,
  NONBLOCK: O.NONBLOCK,
  CLOEXEC: O.CLOEXEC,
} as const;

/** include/uapi/linux/in.h */
export const IPPROTO = { TCP: 6, IPV6: 41 } as const;

/** Levels of setsockopt(2), include/linux/socket.h */
export const SOL = { SOCKET: 1, UDP: 17 } as const;

/** socket(7), include/uapi/asm-generic/socket.h */
export const SO = {
  SNDBUF: 7,
  RCVBUF: 8,
  PEERCRED: 17,
  SNDTIMEO: 21,
  SNDBUFFORCE: 32,
  RCVBUFFORCE: 33,
} as const;

/** ipv6(7), include/uapi/linux/in6.h */
export const IPV6 = { V6ONLY: 26 } as const;

/** udp(7), include/uapi/linux/udp.h */
export const UDP = { SEGMENT: 103, GRO: 104 } as const;

/** send(2) and recv(2), include/linux/socket.h */
export const MSG = { TRUNC: 0x20, DONTWAIT: 0x40, NOSIGNAL: 0x4000 } as const;

/** shutdown(2) */
export const SHUT = { RDWR: 2 } as const;

/** netlink(7), include/uapi/linux/netlink.h */
export const NETLINK = { ROUTE: 0, SOCK_DIAG: 4 } as const;
export const NLM_F = {
  REQUEST: 0x1,
  ACK: 0x4,
  REPLACE: 0x100,
  DUMP: 0x300,
  CREATE: 0x400,
} as const;
/** Bytes of struct nlmsghdr. */
export const NLMSG_HDRLEN = 16;

/** prctl(2), include/uapi/linux/prctl.h */
export const PR = {
  SET_DUMPABLE: 4,
  SET_NAME: 15,
  CAPBSET_DROP: 24,
  SET_NO_NEW_PRIVS: 38,
} as const;

/** ioctl(2): include/uapi/linux/sockios.h and if_tun.h */
export const Ioctl = {
  SIOCGIFMTU: 0x8921,
  SIOCGIFINDEX: 0x8933,
  TUNSETIFF: 0x400454ca,
  TUNSETOFFLOAD: 0x400454d0,
  TUNSETVNETHDRSZ: 0x400454d8,
} as const;
