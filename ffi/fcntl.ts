/**
 * How to open a file: flags of open(2), the same on x86-64 and aarch64 unless
 * it is said (include/uapi/asm-generic/fcntl.h).
 *
 * @module
 */

/** For reading. */
export const O_RDONLY = 0;
/** For writing. */
export const O_WRONLY = 1;
/** For reading and writing. */
export const O_RDWR = 2;
/** Make the file if there is none. */
export const O_CREAT = 0o100;
/** Fail if there is a file already, or a symbolic link. */
export const O_EXCL = 0o200;
/** Do not become the terminal of this process. */
export const O_NOCTTY = 0o400;
/** Every write goes to the end. */
export const O_APPEND = 0o2000;
/** No call on the descriptor blocks. */
export const O_NONBLOCK = 0o4000;
/** The descriptor does not outlive an exec. */
export const O_CLOEXEC = 0o2000000;
/** Only a place in the file system, nothing to be read. */
export const O_PATH = 0o10000000;

// aarch64 has numbers of its own (arch/arm64/include/uapi/asm/fcntl.h).
const ARM = Deno.build.arch === "aarch64";
/** Fail if it is no folder. */
export const O_DIRECTORY = ARM ? 0o40000 : 0o200000;
/** Fail if the last part of the path is a symbolic link. */
export const O_NOFOLLOW = ARM ? 0o100000 : 0o400000;
