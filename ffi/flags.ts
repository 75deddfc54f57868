// Numbers that calls of Linux take, the same on x86-64 and aarch64 unless
// noted. `AF.UNIX` is AF_UNIX of the headers.

// aarch64 has flags of its own (arch/arm64/include/uapi/asm/fcntl.h).
const isArm = Deno.build.arch === "aarch64";

/** include/uapi/asm-generic/fcntl.h */
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  ACCMODE: 3,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
  DIRECTORY: isArm ? 0o40000 : 0o200000,
  NOFOLLOW: isArm ? 0o100000 : 0o400000,
} as const;

export const F = { GETFD: 1, SETFD: 2, GETFL: 3, OFD_SETLK: 37 } as const;
export const FD_CLOEXEC = 1;

/** include/uapi/linux/fcntl.h */
export const AT = {
  FDCWD: -100,
  SYMLINK_NOFOLLOW: 0x100,
  EMPTY_PATH: 0x1000,
  STATX_FORCE_SYNC: 0x2000,
} as const;

export const EFD = { NONBLOCK: O.NONBLOCK, CLOEXEC: O.CLOEXEC } as const;

export const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 } as const;

export const SOCK = {
  STREAM: 1,
  DGRAM: 2,
  RAW: 3,
  SEQPACKET: 5,
  NONBLOCK: O.NONBLOCK,
  CLOEXEC: O.CLOEXEC,
} as const;

export const IPPROTO = { IP: 0, TCP: 6, IPV6: 41 } as const;

export const SOL = { SOCKET: 1, UDP: 17, NETLINK: 270 } as const;

/** include/uapi/asm-generic/socket.h */
export const SO = {
  REUSEADDR: 2,
  ERROR: 4,
  SNDBUF: 7,
  RCVBUF: 8,
  KEEPALIVE: 9,
  REUSEPORT: 15,
  PEERCRED: 17,
  SNDTIMEO: 21,
  BINDTODEVICE: 25,
  SNDBUFFORCE: 32,
  RCVBUFFORCE: 33,
  MARK: 36,
  ATTACH_REUSEPORT_CBPF: 51,
  MEMINFO: 55,
} as const;

/** include/uapi/linux/in.h */
export const IP = {
  TOS: 1,
  PKTINFO: 8,
  MTU_DISCOVER: 10,
  RECVTOS: 13,
  MTU: 14,
  FREEBIND: 15,
} as const;

/** Of MTU_DISCOVER, the same for both families. */
export const PMTUDISC = { DONT: 0, WANT: 1, DO: 2 } as const;

export const IPV6 = {
  MTU_DISCOVER: 23,
  MTU: 24,
  V6ONLY: 26,
  RECVPKTINFO: 49,
  PKTINFO: 50,
  RECVTCLASS: 66,
  TCLASS: 67,
  FREEBIND: 78,
} as const;

export const UDP = { SEGMENT: 103, GRO: 104 } as const;

export const MSG = { TRUNC: 0x20, DONTWAIT: 0x40, NOSIGNAL: 0x4000 } as const;

export const SHUT = { RDWR: 2 } as const;

/** include/uapi/linux/netlink.h */
export const NETLINK = { ROUTE: 0, SOCK_DIAG: 4 } as const;
export const NLM_F = {
  REQUEST: 0x1,
  ACK: 0x4,
  REPLACE: 0x100,
  EXCL: 0x200,
  DUMP: 0x300,
  CREATE: 0x400,
} as const;
/** sizeof(struct nlmsghdr) */
export const NLMSG_HDRLEN = 16;

/** include/uapi/linux/prctl.h */
export const PR = {
  SET_DUMPABLE: 4,
  SET_KEEPCAPS: 8,
  SET_NAME: 15,
  CAPBSET_DROP: 24,
  SET_NO_NEW_PRIVS: 38,
} as const;

/** include/uapi/linux/capability.h */
export const CAP = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  FOWNER: 3,
  SETGID: 6,
  SETUID: 7,
  NET_BIND_SERVICE: 10,
  NET_ADMIN: 12,
  NET_RAW: 13,
  SYS_CHROOT: 18,
  SYS_ADMIN: 21,
} as const;

/** include/uapi/linux/sockios.h and if_tun.h */
export const Ioctl = {
  SIOCGIFFLAGS: 0x8913,
  SIOCGIFADDR: 0x8915,
  SIOCGIFMTU: 0x8921,
  SIOCGIFINDEX: 0x8933,
  TUNSETIFF: 0x400454ca,
  TUNSETOFFLOAD: 0x400454d0,
  TUNSETVNETHDRSZ: 0x400454d8,
  TUNSETQUEUE: 0x400454d9,
} as const;
