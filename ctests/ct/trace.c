/* Executes computations on secrets instruction by instruction and compares
 * the paths for different secrets: every instruction and every address it
 * reads or writes must be the same. Works with any instruction, so also for
 * kernels that valgrind cannot run. (It sees only what the chosen secrets do;
 * valgrind sees all paths at once.)
 *
 *   ./trace [-a] [-s secrets]      -a: the long computations as well, some minutes
 *
 * Prints a row for each computation and "N passed, N failed". x86-64 Linux. */
#define _GNU_SOURCE
#include "checks.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static uint64_t random_state;

static void random_numbers(unsigned char *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        out[i] = (unsigned char)(random_state >> 24);
    }
}

/* ---- which addresses does an instruction use? ----------------------------
 *
 * Only as much of an instruction is decoded as says whether it has a memory
 * operand, and which registers make its address. The constant part of the
 * address is the same in both runs, because the instruction is. */

enum { NO_REGISTER = -1, INSTRUCTION_POINTER = 16 };

struct operand {
    uint64_t at;         /* the instruction; 0 for an empty place */
    int8_t base, index;  /* register numbers, or NO_REGISTER */
    uint8_t scale;       /* as a shift */
    uint8_t strings;     /* uses rsi and rdi */
    uint8_t unknown;     /* gathers from many addresses: not supported */
};

static int has_modrm(int map, unsigned op)
{
    if (map == 1) {
        if (op < 0x40)
            return (op & 7) < 4;
        return op == 0x63 || op == 0x69 || op == 0x6b || (op >= 0x80 && op <= 0x8f) || op == 0xc0 || op == 0xc1 ||
               op == 0xc6 || op == 0xc7 || (op >= 0xd0 && op <= 0xd3) || (op >= 0xd8 && op <= 0xdf) || op == 0xf6 ||
               op == 0xf7 || op == 0xfe || op == 0xff;
    }
    if (map == 2)
        return !(op == 0x05 || op == 0x06 || op == 0x07 || op == 0x08 || op == 0x09 || op == 0x0b || op == 0x0e ||
                 (op >= 0x30 && op <= 0x37) || op == 0x77 || (op >= 0x80 && op <= 0x8f) || (op >= 0xa0 && op <= 0xa2) ||
                 (op >= 0xa8 && op <= 0xaa) || (op >= 0xc8 && op <= 0xcf));
    return 1;
}

static void decode(const uint8_t *code, struct operand *out)
{
    unsigned rex = 0;
    int map = 1;
    out->base = out->index = NO_REGISTER;
    out->scale = out->strings = out->unknown = 0;
    while (strchr("\x66\x67\xf2\xf3\x2e\x36\x3e\x26\x64\x65\xf0", *code) && *code)
        code++;
    if ((*code & 0xf0) == 0x40)
        rex = *code++ & 15;
    if (*code == 0xc5) { /* VEX, two bytes */
        map = 2;
        code += 2;
    } else if (*code == 0xc4) { /* VEX, three bytes: X and B are inverted */
        map = code[1] & 31;
        map += 1;
        rex = (~code[1] >> 5) & 3;
        code += 3;
    } else if (*code == 0x62) { /* EVEX */
        map = (code[1] & 7) + 1;
        rex = (~code[1] >> 5) & 3;
        code += 4;
    } else if (*code == 0x0f) {
        map = 2;
        code++;
        if (*code == 0x38 || *code == 0x3a)
            map = *code++ == 0x38 ? 3 : 4;
    }
    unsigned op = *code++;
    if (map == 1 && ((op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf)))
        out->strings = 1;
    /* LEA only computes, NOP does nothing. */
    if (!has_modrm(map, op) || (map == 1 && op == 0x8d) || (map == 2 && op == 0x1f))
        return;
    unsigned modrm = *code++, mod = modrm >> 6, rm = modrm & 7;
    if (mod == 3)
        return;
    /* Map 3 is 0F38: 90 to 93 gather, A0 to A3 scatter. */
    if (map == 3 && ((op >= 0x90 && op <= 0x93) || (op >= 0xa0 && op <= 0xa3)) && rm == 4)
        out->unknown = 1;
    if (rm == 4) {
        unsigned sib = *code, index = ((sib >> 3) & 7) | (rex & 2) << 2, base = (sib & 7) | (rex & 1) << 3;
        out->scale = sib >> 6;
        out->index = index == 4 ? NO_REGISTER : (int8_t)index;
        out->base = (sib & 7) == 5 && mod == 0 ? NO_REGISTER : (int8_t)base;
    } else if (rm == 5 && mod == 0)
        out->base = INSTRUCTION_POINTER;
    else
        out->base = (int8_t)(rm | (rex & 1) << 3);
}

/* ---- one run, step by step ------------------------------------------------
 *
 * With the processor's trap flag set, every instruction ends in a signal,
 * whose handler sees the registers. The handler has a stack of its own. */

struct step {
    uint64_t at, address;
};

enum { PLACES = 1 << 16, MOST_STEPS = 1 << 23 };

/* Shared between the runs, each of which is a process. */
static struct path {
    size_t length;      /* of the first run */
    size_t steps;       /* of this one */
    int recording;
    int unknown;        /* an instruction that is not supported */
    long difference;    /* the first, or -1 */
    uint64_t differs_at;
    struct step step[MOST_STEPS];
} *path;

static struct operand operands[PLACES];
static volatile int following;

static uint64_t address_of(const greg_t *r)
{
    static const int by_number[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8,
                                    REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    uint64_t at = (uint64_t)r[REG_RIP];
    struct operand *o = &operands[(at * 0x9e3779b97f4a7c15u) >> 48];
    if (o->at != at) {
        decode((const uint8_t *)at, o);
        o->at = at;
    }
    path->unknown |= o->unknown;
    uint64_t address = o->base == NO_REGISTER ? 0 : (uint64_t)r[by_number[o->base]];
    address += o->index == NO_REGISTER ? 0 : (uint64_t)r[by_number[o->index]] << o->scale;
    if (o->strings)
        address = address * 31 + (uint64_t)r[REG_RSI] + ((uint64_t)r[REG_RDI] << 1);
    return address * 31 + (uint64_t)r[REG_RSP]; /* push, pop, call and ret */
}

static void after_instruction(int signal, siginfo_t *info, void *context)
{
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)signal;
    (void)info;
    if (!following || path->steps == MOST_STEPS) {
        r[REG_EFL] &= ~0x100; /* no more traps */
        return;
    }
    struct step now = {(uint64_t)r[REG_RIP], address_of(r)};
    size_t n = path->steps++;
    if (path->recording) {
        path->step[n] = now;
        path->length = n + 1;
    } else if (n >= path->length || path->step[n].at != now.at || path->step[n].address != now.address) {
        path->difference = (long)n;
        path->differs_at = now.at;
        r[REG_EFL] &= ~0x100;
    }
}

static void child_runs(const struct check *check, unsigned n)
{
    static unsigned char stack[1 << 16], secret[SECRET], result[RESULT];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = after_instruction, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaltstack(&alternate, NULL);
    sigaction(SIGTRAP, &action, NULL);
    /* Every second secret is the opposite of the one before, bit for bit. */
    random_state = 0x9e3779b97f4a7c15u * (n / 2 + 1);
    random_numbers(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] ^= n % 2 ? 0xff : 0;
    following = 1;
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
    check->run(secret, result);
    following = 0;
    _exit(0);
}

/* Runs the check with the n-th secret; the first run records the path, the
 * others compare. */
static void follow(const struct check *check, unsigned n)
{
    int status;
    path->recording = n == 0;
    path->steps = 0;
    path->difference = -1;
    pid_t child = fork();
    if (child == 0)
        child_runs(check, n);
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) || path->unknown || path->steps < 2 ||
        path->steps == MOST_STEPS) {
        fprintf(stderr, "%s: cannot be followed (status %x, %zu steps)\n", check->name, status, path->steps);
        exit(2);
    }
    if (!path->recording && path->difference < 0 && path->steps != path->length)
        path->difference = (long)path->steps;
}

/* Name of the mapping that an address belongs to, with the place in it. */
static const char *where(uint64_t at)
{
    static char text[400];
    char line[400];
    FILE *maps = fopen("/proc/self/maps", "r");
    snprintf(text, sizeof text, "%lx", (unsigned long)at);
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long from, to, offset;
        char name[300] = "";
        if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %299s", &from, &to, &offset, name) >= 3 && from <= at && at < to)
            snprintf(text, sizeof text, "%s+%lx", strrchr(name, '/') ? strrchr(name, '/') + 1 : name,
                     (unsigned long)(at - from + offset));
    }
    if (maps)
        fclose(maps);
    return text;
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0, secrets = 2;
    int all = 0;
    for (int option; (option = getopt(argc, argv, "as:")) != -1;)
        switch (option) {
        case 'a': all = 1; break;
        case 's': secrets = (unsigned)atoi(optarg); break;
        default: fprintf(stderr, "usage: %s [-a] [-s secrets]\n", argv[0]); return 2;
        }
    /* The same addresses in every run of the program make its output comparable. */
    int old = personality(0xffffffff);
    if (!(old & ADDR_NO_RANDOMIZE) && personality((unsigned)old | ADDR_NO_RANDOMIZE) >= 0)
        execv("/proc/self/exe", argv);
    setvbuf(stdout, NULL, _IONBF, 0);
    path = mmap(NULL, sizeof *path, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (path == MAP_FAILED) {
        perror("memory for the path");
        return 2;
    }
    fill = random_numbers;
    dh_exponent = 8;
    make_public_values();
    printf("paths for %u secrets, kernel %s\n", secrets, otr_test_kernel());
    for (size_t i = 0; i < number_of_checks; i++) {
        const struct check *check = &checks[i];
        /* Public values in the middle differ with the secret: paths may, too. */
        if (check->whole_flow || (check->slow && !all))
            continue;
        /* Once in this process, so that everything that is made only once is there. */
        unsigned char secret[SECRET] = {1}, result[RESULT];
        random_state = 1;
        random_numbers(secret, sizeof secret);
        check->run(secret, result);
        follow(check, 0);
        for (unsigned n = 1; n < secrets; n++) {
            follow(check, n);
            if (path->difference >= 0)
                break;
        }
        int good = (path->difference >= 0) == check->leaks;
        printf("%-42s %8zu instructions  %s", check->name, path->length, good ? "pass" : "FAIL");
        if (path->difference >= 0)
            printf("  paths part at instruction %ld, %s", path->difference, where(path->differs_at));
        putchar('\n');
        *(good ? &passed : &failed) += 1;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
