/* main.c - loads a library and serves scripts from it.
 *
 *     runner PATH-OF-LIBRARY
 *
 * The process that loaded the library only waits.  For every script ("begin
 * FOLDER SEED") it forks a child, which works in that folder, runs the
 * commands and ends at "end".  So every script finds the library fresh, and a
 * crash or a hang is one line of the log: "died signal=11" (14: the command
 * took too long). */
#include "lab.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 10                 /* seconds that one command may take */
#define WORDS 64

struct library lib;

static void load(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!handle) {
        fprintf(stderr, "runner: %s\n", dlerror());
        exit(2);
    }
#define X(function) \
    if (!(lib.function = (__typeof__(lib.function))dlsym(handle, #function))) { \
        fprintf(stderr, "runner: %s has no %s\n", path, #function); \
        exit(2); \
    }
    LAB_FUNCTIONS(X)
#undef X
    lib.api_version = dlsym(handle, "otrl_api_version");
    if (!lib.api_version || lib.otrl_init(4, 1, 1)) {
        fprintf(stderr, "runner: cannot initialise %s\n", path);
        exit(2);
    }
    powers_start();
}

void run_command(char *line)
{
    static const struct command *const tables[] = {session_commands, context_commands, plain_commands, file_commands};
    char *argv[WORDS];
    int argc = 0;
    for (char *word = strtok(line, " "); word && argc < WORDS; word = strtok(NULL, " "))
        argv[argc++] = word;
    if (!argc) return;
    if (!strcmp(argv[0], "clock") && argc == 2) {
        clock_set(atoll(argv[1]));
        return;
    }
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (const struct command *k = tables[t]; k->name; k++) {
            if (strcmp(k->name, argv[0])) continue;
            if (argc < k->words) emit("too few words for %s", k->name);
            else k->run(argc, argv);
            return;
        }
    }
    emit("no command %s", argv[0]);
}

/* One line without its end, or NULL.  Parent and child share the input; the
 * other side waits for each answer, so nothing is ever read ahead. */
static char *read_line(void)
{
    static char *line;
    static size_t capacity;
    ssize_t length = getline(&line, &capacity, stdin);
    if (length <= 0) return NULL;
    if (line[length - 1] == '\n') line[length - 1] = 0;
    return line;
}

static void child(const char *folder, const char *seed)
{
    char *line;
    if (chdir(folder)) _exit(3);
    random_seed(strtoull(seed, NULL, 0));
    puts(".");
    fflush(stdout);
    while ((line = read_line()) && strcmp(line, "end")) {
        alarm(PATIENCE);
        run_command(line);
        alarm(0);
        puts(".");
        fflush(stdout);
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    struct rlimit none = {0, 0};
    char *line;
    if (argc != 2) {
        fprintf(stderr, "usage: runner PATH-OF-LIBRARY\n");
        return 2;
    }
    setrlimit(RLIMIT_CORE, &none);
    load(argv[1]);
    while ((line = read_line())) {
        char *verb = strtok(line, " "), *folder = strtok(NULL, " "), *seed = strtok(NULL, " ");
        int status;
        if (!verb || strcmp(verb, "begin") || !folder || !seed) return 2;
        pid_t pid = fork();
        if (pid == 0) child(folder, seed);
        if (pid < 0 || waitpid(pid, &status, 0) < 0) return 2;
        if (WIFSIGNALED(status)) printf("died signal=%d\n.\n", WTERMSIG(status));
        else printf("died status=%d\n.\n", WEXITSTATUS(status));
        fflush(stdout);
    }
    return 0;
}
