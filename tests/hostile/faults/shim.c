/* Loaded before everything else (LD_PRELOAD): fails a chosen allocation of
 * one library and shifts the clock. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static uintptr_t low, high;   /* the library's code */
static long count, victim = -1;
static long shift;            /* seconds */

/* Counts the allocations made by code between low and high; the n-th, from
 * 0, fails; none if n is negative. Returns how many there were before. */
long shim_fail(uintptr_t from, uintptr_t to, long n)
{
    long before = count;
    low = from;
    high = to;
    victim = n;
    count = 0;
    return before;
}

void shim_shift_clock(long seconds)
{
    shift = seconds;
}

static int fails(void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    if (at < low || at >= high)
        return 0;
    if (count++ != victim)
        return 0;
    errno = ENOMEM;
    return 1;
}

#define FAILS fails(__builtin_return_address(0))

void *malloc(size_t n)
{
    return FAILS ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return FAILS ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t n)
{
    return FAILS ? NULL : __libc_realloc(old, n);
}

int posix_memalign(void **out, size_t alignment, size_t n)
{
    if (FAILS)
        return ENOMEM;
    void *p = __libc_memalign(alignment, n);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return FAILS ? NULL : __libc_memalign(alignment, n);
}

char *strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = FAILS ? NULL : __libc_malloc(n);
    return copy ? memcpy(copy, s, n) : NULL;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int result = (int)syscall(SYS_clock_gettime, clock, t);
    if (result == 0 && clock == CLOCK_REALTIME)
        t->tv_sec += shift;
    return result;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
