/* plain.c - commands on functions that need no client: base64, message
 * types, queries, tags, TLVs, fragments, initialisation. */
#include "lab.h"
#include <stdlib.h>
#include <string.h>

/* base64_encode HEX */
static void do_base64_encode(int argc, char **argv)
{
    (void)argc;
    size_t count;
    unsigned char *bytes = unhex(argv[1], &count);
    char *out = malloc((count + 2) / 3 * 4 + 1);
    size_t length = lib.otrl_base64_encode(out, bytes, count);
    emit("base64 %zu %s", length, enc_bytes(out, length));
    free(out);
    free(bytes);
}

/* base64_decode TEXT */
static void do_base64_decode(int argc, char **argv)
{
    (void)argc;
    char *text = dec(argv[1]);
    size_t length = strlen(text);
    unsigned char *out = malloc(length / 4 * 3 + 4);
    size_t count = lib.otrl_base64_decode(out, text, length);
    emit("bytes %zu %s", count, hex(out, count));
    free(out);
}

/* otr_encode HEX */
static void do_otr_encode(int argc, char **argv)
{
    (void)argc;
    size_t count;
    unsigned char *bytes = unhex(argv[1], &count);
    char *text = lib.otrl_base64_otr_encode(bytes, count);
    emit("armoured %s", enc(text));
    free(text);
    free(bytes);
}

/* otr_decode TEXT */
static void do_otr_decode(int argc, char **argv)
{
    (void)argc;
    unsigned char mark, *out = &mark;
    size_t count = 77;
    int result = lib.otrl_base64_otr_decode(dec(argv[1]), &out, &count);
    int touched = out != &mark;
    emit("result %d out=%s", result, !touched ? "untouched" : out ? hex(out, count) : "~");
    if (touched) free(out);
}

/* type TEXT: type, version and data flags */
static void do_type(int argc, char **argv)
{
    (void)argc;
    char *text = dec(argv[1]);
    unsigned char flags = 77;
    int type = lib.otrl_proto_message_type(text), version = lib.otrl_proto_message_version(text);
    gcry_error_t error = lib.otrl_proto_data_read_flags(text, &flags);
    emit("type %d version %d flags error=%x %u", type, version, error, flags);
}

/* instance TEXT */
static void do_instance(int argc, char **argv)
{
    (void)argc;
    unsigned int from = 0x77, to = 0x88;
    gcry_error_t error = lib.otrl_proto_instance(dec(argv[1]), &from, &to);
    emit("instance error=%x from=%x to=%x", error, from, to);
}

/* query TEXT POLICY */
static void do_query(int argc, char **argv)
{
    (void)argc;
    emit("best %u", lib.otrl_proto_query_bestversion(dec(argv[1]), (OtrlPolicy)strtoul(argv[2], NULL, 0)));
}

/* default_query ACCOUNT POLICY */
static void do_default_query(int argc, char **argv)
{
    (void)argc;
    char *text = lib.otrl_proto_default_query_msg(dec(argv[1]), (OtrlPolicy)strtoul(argv[2], NULL, 0));
    emit("query %s", enc(text));
    free(text);
}

/* whitespace TEXT POLICY */
static void do_whitespace(int argc, char **argv)
{
    (void)argc;
    char *text = dec(argv[1]);
    const char *start = text + 1, *end = text + 2;
    unsigned best = lib.otrl_proto_whitespace_bestversion(text, &start, &end, (OtrlPolicy)strtoul(argv[2], NULL, 0));
    emit("best %u from=%ld to=%ld", best, start ? (long)(start - text) : -1L, end ? (long)(end - text) : -1L);
}

/* tlv_parse HEX */
static void do_tlv_parse(int argc, char **argv)
{
    (void)argc;
    size_t count, length;
    unsigned char *bytes = unhex(argv[1], &count);
    OtrlTLV *list = lib.otrl_tlv_parse(bytes, count);
    for (OtrlTLV *t = list; t; t = t->next)
        emit("tlv type=%u length=%u value=%s nul=%d first=%d", t->type, t->len, hex(t->data, t->len),
             t->data[t->len] == 0, lib.otrl_tlv_find(list, t->type) == t);
    length = lib.otrl_tlv_seriallen(list);
    unsigned char *again = malloc(length + 1);
    lib.otrl_tlv_serialize(again, list);
    emit("serial %zu %s missing=%d", length, hex(again, length), lib.otrl_tlv_find(list, 999) == NULL);
    free(again);
    lib.otrl_tlv_free(list);
    free(bytes);
}

/* tlv_new TYPE HEX|~ */
static void do_tlv_new(int argc, char **argv)
{
    (void)argc;
    size_t count = 0;
    unsigned char *bytes = strcmp(argv[2], "~") ? unhex(argv[2], &count) : NULL;
    OtrlTLV *t = lib.otrl_tlv_new((unsigned short)atoi(argv[1]), (unsigned short)count, bytes);
    emit("tlv type=%u length=%u value=%s nul=%d next=%d empty=%zu", t->type, t->len, hex(t->data, t->len),
         t->data[t->len] == 0, t->next != NULL, lib.otrl_tlv_seriallen(NULL));
    lib.otrl_tlv_free(t);
    free(bytes);
}

/* fragment LIMIT PROTOCOL_VERSION AUTH_VERSION OUR THEIR LENGTH: cuts LENGTH
 * characters with a context whose fields are set like that */
static void do_fragment(int argc, char **argv)
{
    (void)argc;
    size_t length = strtoul(argv[6], NULL, 0);
    OtrlUserState us = lib.otrl_userstate_create();
    ConnContext *x = lib.otrl_context_find(us, "peer", "own", PROTOCOL, 0, 1, NULL, NULL, NULL);
    x->protocol_version = (unsigned)atoi(argv[2]);
    x->auth.protocol_version = (unsigned)atoi(argv[3]);
    x->our_instance = (otrl_instag_t)strtoul(argv[4], NULL, 16);
    x->their_instance = (otrl_instag_t)strtoul(argv[5], NULL, 16);
    char *text = malloc(length + 1), **pieces = NULL;
    for (size_t i = 0; i < length; i++) text[i] = (char)('a' + i % 26);
    text[length] = 0;
    /* The count that the caller must pass is the library's own formula. */
    int limit = atoi(argv[1]), header = x->protocol_version == 3 ? 37 : 19;
    int count = limit > header && length ? (int)((length - 1) / (size_t)(limit - header)) + 1 : 1;
    gcry_error_t error = lib.otrl_proto_fragment_create(limit, count, &pieces, x, text);
    emit("pieces error=%x count=%d", error, count);
    if (!error && pieces) {
        for (int i = 0; i < count; i++) emit("piece %zu %s", strlen(pieces[i]), enc(pieces[i]));
        lib.otrl_proto_fragment_free(&pieces, (unsigned short)count);
    }
    free(text);
    lib.otrl_userstate_free(us);
}

/* accumulate PIECE...: one context, one piece after the other */
static void do_accumulate(int argc, char **argv)
{
    OtrlUserState us = lib.otrl_userstate_create();
    ConnContext *x = lib.otrl_context_find(us, "peer", "own", PROTOCOL, 0, 1, NULL, NULL, NULL);
    for (int i = 1; i < argc; i++) {
        char *whole = NULL;
        int result = lib.otrl_proto_fragment_accumulate(&whole, x, dec(argv[i]));
        emit("accumulated %d %s", result, enc(result == OTRL_FRAGMENT_COMPLETE ? whole : NULL));
        if (result == OTRL_FRAGMENT_COMPLETE) free(whole);
    }
    lib.otrl_userstate_free(us);
}

/* counter HEX16 HEX16: increments and compares 8-byte counters */
static void do_counter(int argc, char **argv)
{
    (void)argc;
    size_t n;
    unsigned char *a = unhex(argv[1], &n), *b = unhex(argv[2], &n);
    int order = lib.otrl_dh_cmpctr(a, b);
    lib.otrl_dh_incctr(a);
    emit("counter sign=%d next=%s", (order > 0) - (order < 0), hex(a, 8));
    free(a);
    free(b);
}

/* differ HEX HEX */
static void do_differ(int argc, char **argv)
{
    (void)argc;
    size_t n, m;
    unsigned char *a = unhex(argv[1], &n), *b = unhex(argv[2], &m);
    emit("differ %d nothing %d", lib.otrl_mem_differ(a, b, n), lib.otrl_mem_differ(NULL, NULL, 0));
    free(a);
    free(b);
}

/* init MAJOR MINOR SUB, with the API version that it leaves */
static void do_init(int argc, char **argv)
{
    (void)argc;
    gcry_error_t error = lib.otrl_init((unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
    emit("init %x api=%06x version=%s", error, *lib.api_version, enc(lib.otrl_version()));
}

/* api HEX: writes the API version as programs may */
static void do_api(int argc, char **argv)
{
    (void)argc;
    *lib.api_version = (unsigned)strtoul(argv[1], NULL, 16);
    emit("api %06x", *lib.api_version);
}

/* human HEX40 */
static void do_human(int argc, char **argv)
{
    (void)argc;
    size_t count;
    unsigned char *bytes = unhex(argv[1], &count);
    char out[45];
    lib.otrl_privkey_hash_to_human(out, bytes);
    emit("human %s", enc(out));
    free(bytes);
}

const struct command plain_commands[] = {
    {"base64_encode", 2, do_base64_encode}, {"base64_decode", 2, do_base64_decode}, {"otr_encode", 2, do_otr_encode},
    {"otr_decode", 2, do_otr_decode}, {"type", 2, do_type}, {"instance", 2, do_instance}, {"query", 3, do_query},
    {"default_query", 3, do_default_query}, {"whitespace", 3, do_whitespace}, {"tlv_parse", 2, do_tlv_parse},
    {"tlv_new", 3, do_tlv_new}, {"fragment", 7, do_fragment}, {"accumulate", 2, do_accumulate},
    {"counter", 3, do_counter}, {"differ", 3, do_differ}, {"init", 4, do_init}, {"api", 2, do_api},
    {"human", 2, do_human}, {NULL, 0, NULL},
};
