/* text.c - log lines and the encoding of words.
 *
 * A word may hold any bytes: those outside 0x21..0x7e, the percent sign and
 * the tilde are written as %xx.  A lone tilde is the null pointer, a lone
 * percent sign the empty string (an empty value after '=' is empty too). */
#include "lab.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define RING 32
static char *ring[RING];
static int ring_at;

/* Results of enc() and friends live until RING further calls were made. */
static char *ring_take(size_t size)
{
    ring_at = (ring_at + 1) % RING;
    free(ring[ring_at]);
    return ring[ring_at] = malloc(size);
}

void emit(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

const char *enc_bytes(const void *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = bytes;
    char *start = ring_take(count * 3 + 1), *out = start;
    for (size_t i = 0; i < count; i++) {
        if (in[i] > 0x20 && in[i] < 0x7f && in[i] != '%' && in[i] != '~') {
            *out++ = (char)in[i];
        } else {
            *out++ = '%';
            *out++ = digits[in[i] >> 4];
            *out++ = digits[in[i] & 15];
        }
    }
    *out = 0;
    return start;
}

const char *enc(const char *text)
{
    return text ? enc_bytes(text, strlen(text)) : "~";
}

const char *hex(const void *bytes, size_t count)
{
    const unsigned char *in = bytes;
    char *start = ring_take(count * 2 + 1), *out = start;
    for (size_t i = 0; i < count; i++)
        out += sprintf(out, "%02x", in[i]);
    *out = 0;
    return start;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

char *dec(char *word)
{
    char *in = word, *out = word;
    if (!strcmp(word, "~")) return NULL;
    if (!strcmp(word, "%")) { *word = 0; return word; }
    while (*in) {
        if (*in == '%' && digit(in[1]) >= 0 && digit(in[2]) >= 0) {
            *out++ = (char)(digit(in[1]) << 4 | digit(in[2]));
            in += 3;
        } else {
            *out++ = *in++;
        }
    }
    *out = 0;
    return word;
}

unsigned char *unhex(const char *text, size_t *count)
{
    size_t length = text ? strlen(text) / 2 : 0;
    unsigned char *out = malloc(length + 1);
    for (size_t i = 0; i < length; i++)
        out[i] = (unsigned char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    out[length] = 0;
    *count = length;
    return out;
}
