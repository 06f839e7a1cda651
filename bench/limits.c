/*
 * Measures what the system itself takes for what the library asks of it, and prints CPU time per operation: no library that
 * does these things can be cheaper.
 *
 *     limits FOLDER
 *
 * FOLDER takes the files; use one on the file system that counts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

enum { TIMES = 200 };

static void check(int result, const char *what)
{
    if (result >= 0) return;
    perror(what);
    exit(2);
}

static double microseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Prints the median. */
static void report(const char *name, double *times)
{
    qsort(times, TIMES, sizeof *times, by_size);
    printf("| %-66s | %8.2f us |\n", name, times[TIMES / 2]);
}

/* What is on the disk once a file has taken its place. */
enum { NOTHING, TEXT, TEXT_AND_FOLDER };

/* A file takes the place of another one, or of none if it is `fresh`. */
static void replace(const char *name, size_t size, int fresh, int synced)
{
    double times[TIMES];
    char *text = calloc(1, size);
    for (int n = 0; n < TIMES; n++) {
        if (fresh) unlink("file");
        double start = microseconds();
        int folder = open(".", O_RDONLY | O_CLOEXEC), file;
        check(folder, "folder");
        check(flock(folder, LOCK_EX), "lock");
        check(file = open("new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), "file");
        check(write(file, text, size) == (ssize_t)size ? 0 : -1, "write");
        if (synced != NOTHING) check(fsync(file), "sync");
        check(rename("new", "file"), "rename");
        if (synced == TEXT_AND_FOLDER) check(fsync(folder), "sync");
        close(file);
        close(folder);
        times[n] = microseconds() - start;
    }
    free(text);
    report(name, times);
}

static void read_file(const char *name, size_t size)
{
    double times[TIMES];
    char *text = malloc(size + 1);
    for (int n = 0; n < TIMES; n++) {
        double start = microseconds();
        int file = open("file", O_RDONLY | O_CLOEXEC);
        check(file, "file");
        check(read(file, text, size + 1) == (ssize_t)size ? 0 : -1, "read");
        close(file);
        times[n] = microseconds() - start;
    }
    free(text);
    report(name, times);
}

static void touch_pages(const char *name)
{
    enum { PAGES = 64 };
    double times[TIMES];
    size_t page = sysconf(_SC_PAGESIZE);
    for (int n = 0; n < TIMES; n++) {
        char *pages = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED) check(-1, "mmap");
        double start = microseconds();
        for (size_t i = 0; i < PAGES; i++) pages[i * page] = 1;
        times[n] = (microseconds() - start) / PAGES;
        munmap(pages, PAGES * page);
    }
    report(name, times);
}

static void ask_processor(const char *name)
{
#if defined(__x86_64__) || defined(__i386__)
    double times[TIMES];
    for (int n = 0; n < TIMES; n++) {
        unsigned a, b, c, d;
        double start = microseconds();
        for (int i = 0; i < 100; i++) __cpuid_count(7, 0, a, b, c, d);
        times[n] = (microseconds() - start) / 100;
    }
    report(name, times);
#else
    (void)name;
#endif
}

int main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1])) {
        fprintf(stderr, "usage: limits FOLDER\n");
        return 2;
    }
    replace("130 bytes in place of another file, on the disk", 130, 0, TEXT);
    replace("the same with its folder", 130, 0, TEXT_AND_FOLDER);
    replace("the same, left to the system when it gets to the disk", 130, 0, NOTHING);
    replace("130 bytes in a new file, left to the system", 130, 1, NOTHING);
    replace("8,700 bytes in place of another file, on the disk with its folder", 8700, 0, TEXT_AND_FOLDER);
    replace("the same, left to the system", 8700, 0, NOTHING);
    replace("87,000 bytes in place of another file, on the disk with its folder", 87000, 0, TEXT_AND_FOLDER);
    read_file("opening, reading and closing a file of 130 bytes", 130);
    unlink("file");
    touch_pages("first write to a page");
    ask_processor("one cpuid instruction");
    return 0;
}
