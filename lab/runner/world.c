/* world.c - the clock and the randomness that the library under test sees.
 *
 * The runner is linked with -rdynamic, so these definitions come before those
 * of libc and libgcrypt when a loaded library looks the names up.  The clock
 * stands still unless a script moves it.  Random bytes come from a seeded
 * generator, so that a script gives the same log each time; before the first
 * seed, and for time sources other than the wall clock, the system answers.
 *
 * The generator is for repeatable tests and for nothing else. */
#include "lab.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long wall;              /* 0: the real time */
static uint64_t state;
static int seeded;

void clock_set(long long seconds) { wall = seconds; }
long long clock_now(void) { return wall; }

void random_seed(uint64_t seed)
{
    state = seed;
    seeded = 1;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    if (!wall || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return (int)syscall(SYS_clock_gettime, clock, out);
    out->tv_sec = (time_t)wall;
    out->tv_nsec = 0;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

/* splitmix64 */
static uint64_t next_random(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fill(void *buffer, size_t length)
{
    unsigned char *out = buffer;
    while (length) {
        uint64_t word = next_random();
        size_t part = length < 8 ? length : 8;
        memcpy(out, &word, part);
        out += part;
        length -= part;
    }
}

ssize_t getrandom(void *buffer, size_t length, unsigned int flags)
{
    if (!seeded) return syscall(SYS_getrandom, buffer, length, flags);
    fill(buffer, length);
    return (ssize_t)length;
}

/* libgcrypt's sources of randomness as a library calls them.  What libgcrypt
 * draws inside itself, such as the number k of a DSA signature, is not
 * touched: it shows in no log. */
static void *real(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol) {
        void *gcrypt = dlopen("libgcrypt.so.20", RTLD_NOW | RTLD_NOLOAD);
        symbol = gcrypt ? dlsym(gcrypt, name) : NULL;
    }
    if (!symbol) abort();
    return symbol;
}

void gcry_randomize(void *buffer, size_t length, enum gcry_random_level level)
{
    if (!seeded) {
        ((void (*)(void *, size_t, enum gcry_random_level))real("gcry_randomize"))(buffer, length, level);
        return;
    }
    fill(buffer, length);
}

void gcry_create_nonce(void *buffer, size_t length)
{
    if (!seeded) {
        ((void (*)(void *, size_t))real("gcry_create_nonce"))(buffer, length);
        return;
    }
    fill(buffer, length);
}

static void *random_block(const char *allocator, size_t length)
{
    void *block = ((void *(*)(size_t))real(allocator))(length);
    if (block) fill(block, length);
    return block;
}

void *gcry_random_bytes(size_t length, enum gcry_random_level level)
{
    if (!seeded)
        return ((void *(*)(size_t, enum gcry_random_level))real("gcry_random_bytes"))(length, level);
    return random_block("gcry_malloc", length);
}

void *gcry_random_bytes_secure(size_t length, enum gcry_random_level level)
{
    if (!seeded)
        return ((void *(*)(size_t, enum gcry_random_level))real("gcry_random_bytes_secure"))(length, level);
    return random_block("gcry_malloc_secure", length);
}
