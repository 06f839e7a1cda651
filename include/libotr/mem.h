/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __MEM_H__
#define __MEM_H__

#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes libgcrypt wipe all memory that it gives back, if nothing of it has been
 * used yet. This library wipes its own memory in any case.
 */
void otrl_mem_init(void);

/**
 * Compares two blocks of memory in a time that depends on their length only:
 * 0 if they are equal, 1 if they differ.
 *
 * The caller promises:
 * Both have `len` bytes. They may be NULL if that is 0.
 */
int otrl_mem_differ(const unsigned char *buf1,
                    const unsigned char *buf2,
                    size_t len);

#ifdef __cplusplus
}
#endif

#endif  /* __MEM_H__ */
