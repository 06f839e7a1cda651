//@ options: -lgcrypt
/* The comparison of secrets step by step, on structures of the program's own: equal and different secrets, messages
 * that were changed, states that are used again. What a state shows between two steps is looked at as far as the steps
 * themselves need it.
 */
#include <libotr/sm.h>
#include <libotr/proto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In no header, but exported. */
void otrl_sm_msg1_init(gcry_mpi_t **msg);
void otrl_sm_msg2_init(gcry_mpi_t **msg);
void otrl_sm_msg3_init(gcry_mpi_t **msg);
void otrl_sm_msg4_init(gcry_mpi_t **msg);
void otrl_sm_msg_free(gcry_mpi_t **msg, int size);

static const char *kind(gcry_mpi_t number)
{
    if (number == NULL) return "NULL";
    return gcry_mpi_cmp_ui(number, 0) == 0 ? "zero" : gcry_mpi_cmp_ui(number, 2) == 0 ? "two" : "number";
}

static void show(const char *when, const OtrlSMState *state)
{
    printf("%s: secret %s g1 %s expects %d question %d progress %d\n", when, kind(state->secret), kind(state->g1),
        state->nextExpected, state->received_question, state->sm_prog_state);
}

static void arrays(void)
{
    void (*const init[])(gcry_mpi_t **) = {otrl_sm_msg1_init, otrl_sm_msg2_init, otrl_sm_msg3_init, otrl_sm_msg4_init};
    const int sizes[] = {6, 11, 8, 3};
    gcry_mpi_t *numbers;
    int message, i;

    for (message = 0; message < 4; message++) {
        init[message](&numbers);
        printf("message %d:", message + 1);
        for (i = 0; i < sizes[message]; i++) printf(" %s", kind(numbers[i]));
        gcry_mpi_release(numbers[0]);
        numbers[0] = gcry_mpi_set_ui(NULL, 77);
        otrl_sm_msg_free(&numbers, sizes[message]);
        printf(", then %s\n", numbers == NULL ? "NULL" : "something");
    }
}

/* Messages of one run; the caller releases them. */
typedef struct {
    unsigned char *data[5];
    int len[5];
} Run;

static void release(Run *run)
{
    int i;

    for (i = 0; i < 5; i++) free(run->data[i]);
    memset(run, 0, sizeof *run);
}

/* One run; message `changed` is spoilt on its way. */
static void compare(const char *title, const char *alice_knows, const char *bob_knows, int changed)
{
    OtrlSMAliceState alice;
    OtrlSMBobState bob;
    Run run;
    gcry_error_t error;

    memset(&run, 0, sizeof run);
    memset(&alice, 0x55, sizeof alice);
    memset(&bob, 0xa5, sizeof bob);
    otrl_sm_state_new(&alice);
    otrl_sm_state_new(&bob);
    otrl_sm_state_init(&alice);
    otrl_sm_state_init(&bob);
    printf("-- %s\n", title);
    error = otrl_sm_step1(&alice, (const unsigned char *)alice_knows, (int)strlen(alice_knows), &run.data[1], &run.len[1]);
    printf("1 %08x ", error);
    show("alice", &alice);
    if (changed == 1) run.data[1][run.len[1] - 1] ^= 1;
    error = otrl_sm_step2a(&bob, run.data[1], run.len[1], 1);
    printf("2a %08x ", error);
    show("bob", &bob);
    if (error) goto end;
    error = otrl_sm_step2b(&bob, (const unsigned char *)bob_knows, (int)strlen(bob_knows), &run.data[2], &run.len[2]);
    printf("2b %08x ", error);
    show("bob", &bob);
    if (changed == 2) run.data[2][run.len[2] - 1] ^= 1;
    error = otrl_sm_step3(&alice, run.data[2], run.len[2], &run.data[3], &run.len[3]);
    printf("3 %08x message %d ", error, run.data[3] != NULL);
    show("alice", &alice);
    if (error) goto end;
    if (changed == 3) run.data[3][run.len[3] - 1] ^= 1;
    error = otrl_sm_step4(&bob, run.data[3], run.len[3], &run.data[4], &run.len[4]);
    printf("4 %08x message %d ", error, run.data[4] != NULL);
    show("bob", &bob);
    if (changed == 3) goto end;
    if (changed == 4) run.data[4][run.len[4] - 1] ^= 1;
    error = otrl_sm_step5(&alice, run.data[4], run.len[4]);
    printf("5 %08x ", error);
    show("alice", &alice);
end:
    otrl_sm_state_free(&alice);
    otrl_sm_state_free(&bob);
    show("freed", &alice);
    release(&run);
}

static void wrong_input(void)
{
    OtrlSMState state;
    unsigned char *message = NULL;
    int len = 7;
    unsigned char garbage[64];

    memset(garbage, 0xff, sizeof garbage);
    otrl_sm_state_new(&state);
    otrl_sm_state_init(&state);
    printf("-- wrong input\n");
    printf("2a %08x %08x\n", otrl_sm_step2a(&state, garbage, 3, 0), otrl_sm_step2a(&state, garbage, sizeof garbage, 0));
    show("state", &state);
    printf("3 %08x", otrl_sm_step3(&state, garbage, sizeof garbage, &message, &len));
    printf(" message %d of %d bytes\n", message != NULL, len);
    otrl_sm_state_free(&state);
}

int main(void)
{
    OTRL_INIT;
    otrl_sm_init();
    arrays();
    compare("equal", "the same", "the same", 0);
    compare("different", "one", "another", 0);
    compare("first message changed", "the same", "the same", 1);
    compare("second message changed", "the same", "the same", 2);
    compare("third message changed", "the same", "the same", 3);
    compare("fourth message changed", "the same", "the same", 4);
    compare("no secret", "", "", 0);
    wrong_input();
    return 0;
}
