/**
 * How to open a file: flags of open(2), the same on x86-64 and aarch64
 * (include/uapi/asm-generic/fcntl.h).
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
/** Empty the file. */
export const O_TRUNC = 0o1000;
/** Every write goes to the end. */
export const O_APPEND = 0o2000;
/** No call on the descriptor blocks. */
export const O_NONBLOCK = 0o4000;
/** The descriptor does not outlive an exec. */
export const O_CLOEXEC = 0o2000000;
