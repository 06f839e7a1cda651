/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __B64_H__
#define __B64_H__

#include <stdlib.h>

/**
 * Base64 takes groups of this many bytes ...
 */
#define OTRL_B64_DECODED_LEN 3

/**
 * ... and turns each into a group of this many characters.
 */
#define OTRL_B64_ENCODED_LEN 4

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Encodes `datalen` bytes and returns the number of characters. There is no
 * NUL behind them.
 *
 * The caller promises:
 * `data` has `datalen` bytes; `base64data` has room for 4 characters for
 * every 3 bytes begun.
 */
size_t otrl_base64_encode(char *base64data,
                          const unsigned char *data,
                          size_t datalen);

/**
 * Decodes `base64len` characters and returns the number of bytes. Characters
 * outside the alphabet are skipped; the first `=` ends the text, and an
 * incomplete group without one is dropped.
 *
 * The caller promises:
 * `base64data` has `base64len` characters; `data` has room for
 * `OTRL_B64_MAX_DECODED_SIZE(base64len)` bytes.
 */
size_t otrl_base64_decode(unsigned char *data,
                          const char *base64data,
                          size_t base64len);

/**
 * Wraps `buflen` bytes for sending: `?OTR:`, their base64 form, and a full
 * stop. Returns a string from `malloc`, or NULL without memory.
 *
 * The caller promises:
 * `buf` has `buflen` bytes.
 */
char *otrl_base64_otr_encode(const unsigned char *buf, size_t buflen);

/**
 * Unwraps the first wrapped message in a text. On success, returns 0 and
 * puts a buffer from `malloc` into `*bufp` and its length into `*lenp`. Returns
 * -1 without memory, and -2 if there is no `?OTR:` with a full stop somewhere
 * behind it.
 *
 * The caller promises:
 * `msg` is NULL or NUL-terminated; `bufp` and `lenp` are NULL or valid.
 */
int otrl_base64_otr_decode(const char *msg,
                           unsigned char **bufp,
                           size_t *lenp);

#ifdef __cplusplus
}
#endif

#endif  /* __B64_H__ */

/*
 * The room that is needed to decode so many characters, in bytes.
 */
#define OTRL_B64_MAX_DECODED_SIZE(encoded_len) \
    ((((encoded_len) + OTRL_B64_ENCODED_LEN - 1) / OTRL_B64_ENCODED_LEN) \
        * OTRL_B64_DECODED_LEN)
