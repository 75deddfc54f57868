// Exit status of all programs.

export const EXIT_OK = 0;

/** Whatever has failed, as with the originals (CLI section 1). */
export const EXIT_FAILED = 255;
