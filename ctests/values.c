//@ options: -lgcrypt
/* What needs no state: versions, base64, TLV records, and what a text is to the protocol. */
#include <gcrypt.h>
#include <libotr/proto.h>
#include <libotr/b64.h>
#include <libotr/message.h>
#include <libotr/mem.h>
#include <libotr/privkey.h>
#include <libotr/serial.h>
#include <libotr/tlv.h>
#include <libotr/version.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In no header; a program that names it holds it in its own memory. */
extern unsigned int otrl_api_version;

static void versions(void)
{
    printf("before %x\n", otrl_api_version);
    printf("%08x", otrl_init(4, 1, 0));
    printf(" %x\n", otrl_api_version);
    printf("%08x", otrl_init(4, 0, 0));
    printf(" the smallest counts %x\n", otrl_api_version);
    printf("%08x", otrl_init(4, 1, 1));
    printf(" %x\n", otrl_api_version);
    otrl_api_version = 0;
    OTRL_INIT;
    printf("written by the program %x\n", otrl_api_version);
    printf("%s %s %d.%d.%d\n", otrl_version(), OTRL_VERSION, OTRL_VERSION_MAJOR, OTRL_VERSION_MINOR, OTRL_VERSION_SUB);
}

static void base64(void)
{
    static const char *const texts[] = {"QUJD", "QUI=", "QQ==", "QUI", "QUJDRA", "=QUJD", "Q U\nJ D", "****", ""};
    static const char *const armoured[] = {"?OTR:QUJD.", "text ?OTR:QUJD. text", "?OTR:QUJD", "QUJD.", "?OTR:.", "?OTR:**."};
    unsigned char bytes[64], *made = NULL;
    char text[64], *wrapped;
    size_t i, len = 99;

    for (i = 0; i <= 6; i++) {
        len = otrl_base64_encode(text, (const unsigned char *)"\0\xff" "abcd", i);
        printf("%u %.*s\n", (unsigned)len, (int)len, text);
    }
    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        len = otrl_base64_decode(bytes, texts[i], strlen(texts[i]));
        printf("'%s' %u %.*s (room %u)\n", texts[i], (unsigned)len, (int)len, (char *)bytes,
            (unsigned)OTRL_B64_MAX_DECODED_SIZE(strlen(texts[i])));
    }
    wrapped = otrl_base64_otr_encode((const unsigned char *)"ABC", 3);
    printf("%s\n", wrapped);
    free(wrapped);
    for (i = 0; i < sizeof armoured / sizeof *armoured; i++) {
        int result;

        made = NULL;
        len = 99;
        result = otrl_base64_otr_decode(armoured[i], &made, &len);
        printf("'%s' %d %u %d\n", armoured[i], result, (unsigned)len, made != NULL);
        free(made);
    }
}

static void records(void)
{
    static const unsigned char wire[] = {0, 1, 0, 0, 0, 8, 0, 4, 'a', 'b', 'c', 'd', 0, 8, 0, 1, 'x', 0, 5, 0, 9, 'y'};
    OtrlTLV *first = otrl_tlv_parse(wire, sizeof wire), *tlv, *made = otrl_tlv_new(OTRL_TLV_PADDING, 0, NULL);
    unsigned char out[64];

    for (tlv = first; tlv; tlv = tlv->next) printf("type %d, %d bytes '%s'\n", tlv->type, tlv->len, (char *)tlv->data);
    printf("found %c\n", otrl_tlv_find(first, OTRL_TLV_SYMKEY)->data[0]);
    printf("not found %d\n", otrl_tlv_find(first, OTRL_TLV_SMP1) == NULL);
    printf("%u bytes", (unsigned)otrl_tlv_seriallen(first));
    otrl_tlv_serialize(out, first);
    printf(", equal %d\n", memcmp(out, wire, otrl_tlv_seriallen(first)) == 0);
    printf("%u and %u bytes\n", (unsigned)otrl_tlv_seriallen(NULL), (unsigned)otrl_tlv_seriallen(made));
    printf("nothing in nothing %d\n", otrl_tlv_parse(wire, 3) == NULL);
    otrl_tlv_free(first);
    otrl_tlv_free(made);
    otrl_tlv_free(NULL);
}

static void types(void)
{
    static const char *const texts[] = {"", "hello", "?OTR", "?OTR?", "?OTRv2?", "?OTR?v23?", "?OTR Error: no", "?OTR Error:",
        "?OTR:AAMC", "?OTR:AAIK", "?OTR:AAMR", "x ?OTR:AAIS", "?OTR:AAMD", "?OTR:AAEK", "?OTR:AAED", "?OTR:AAMX", "?OTR:AAQC",
        "?OTR,1,2,x,", "?OTR|1|2,1,2,x,", "?OTR!", "text" OTRL_MESSAGE_TAG_BASE, "?otr?", "?OTR?OTRv2?"};
    static const char tagged[] = "hi" OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V1 OTRL_MESSAGE_TAG_V2 "       \t"
                                 OTRL_MESSAGE_TAG_V3 " bye";
    static const char *const queries[] = {"?OTR?", "?OTRv2?", "?OTRv3?", "?OTRv23?", "?OTR?v2?", "?OTRv24x3", "?OTRv?", "?OTRvx?",
        "no ?OTRv2? and ?OTRv3?", "nothing"};
    static const OtrlPolicy policies[] = {OTRL_POLICY_NEVER, OTRL_POLICY_ALLOW_V1, OTRL_POLICY_ALLOW_V2, OTRL_POLICY_ALLOW_V3,
        OTRL_POLICY_MANUAL, OTRL_POLICY_VERSION_MASK, OTRL_POLICY_DEFAULT};
    /* With both tags cut off, with the second, and with none. */
    static const char *const untagged[] = {"?OTR:AAMDABCDABCDABC", "?OTR:AAMDABC=========", "?OTR:AAMDABCDABCD====", "?OTR:AAMDABCDAB******",
        "?OTR:AAMDABCDABCDAB==", "?OTR:AAMDABCDABCDABCD", "?OTR:AAM", ""};
    const char *start, *end;
    size_t i, j;
    unsigned int from = 7, to = 7;
    unsigned char flags = 7;

    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        printf("type %d version %d\n", otrl_proto_message_type(texts[i]), otrl_proto_message_version(texts[i]));
    for (i = 0; i < sizeof queries / sizeof *queries; i++) {
        printf("'%s'", queries[i]);
        for (j = 0; j < sizeof policies / sizeof *policies; j++)
            printf(" %u", otrl_proto_query_bestversion(queries[i], policies[j]));
        putchar('\n');
    }
    for (j = 0; j < sizeof policies / sizeof *policies; j++) {
        printf("tag %u", otrl_proto_whitespace_bestversion(tagged, &start, &end, policies[j]));
        printf(" from %d to %d\n", (int)(start - tagged), (int)(end - tagged));
    }
    printf("no tag %u", otrl_proto_whitespace_bestversion("hi", &start, &end, OTRL_POLICY_DEFAULT));
    printf(" %d %d\n", start == NULL, end == NULL);
    printf("tags %08x", otrl_proto_instance("?OTR:AAMDABCDABCDABCDEFGH", &from, &to));
    printf(" %u %u\n", from, to);
    printf("no tags %08x %08x\n", otrl_proto_instance("?OTR:AAIDABCDABCDABCDEFGH", &from, &to),
        otrl_proto_instance(" ?OTR:AAMDABCDABCDABCDEFGH", &from, &to));
    for (i = 0; i < sizeof untagged / sizeof *untagged; i++) {
        from = to = 7;
        printf("'%s' %08x", untagged[i], otrl_proto_instance(untagged[i], &from, &to));
        printf(" %x %x\n", from, to);
    }
    printf("no flags %08x", otrl_proto_data_read_flags("?OTR:AAMD.", &flags));
    printf(" %d\n", flags);
}

static void queries(void)
{
    static const OtrlPolicy policies[] = {OTRL_POLICY_NEVER, OTRL_POLICY_ALLOW_V1, OTRL_POLICY_ALLOW_V2, OTRL_POLICY_ALLOW_V3,
        OTRL_POLICY_DEFAULT, OTRL_POLICY_VERSION_MASK};
    size_t i;

    for (i = 0; i < sizeof policies / sizeof *policies; i++) {
        char *query = otrl_proto_default_query_msg("me<&>", policies[i]);

        /* Debian's libotr says more in the text below the first line. */
        printf("%.*s\n", (int)strcspn(query, "\n"), query);
        otrl_message_free(query);
    }
    otrl_message_free(NULL);
}

static void names(void)
{
    char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];
    unsigned char hash[20];
    size_t i;

    for (i = 0; i < sizeof hash; i++) hash[i] = (unsigned char)(i * 13);
    otrl_privkey_hash_to_human(human, hash);
    printf("%s\n", human);
    printf("differ %d %d %d\n", otrl_mem_differ(hash, hash, 20), otrl_mem_differ(hash, hash + 1, 19),
        otrl_mem_differ(NULL, NULL, 0));
    printf("interval %u\n", otrl_message_poll_get_default_interval(NULL));
}

/* The macros of serial.h, as the toolkit uses them. */
static int serial(void)
{
    unsigned char buffer[64], *bufp = buffer;
    size_t lenp = sizeof buffer, written;
    unsigned int value = 0;
    const enum gcry_mpi_format format = GCRYMPI_FMT_USG;
    gcry_mpi_t number = gcry_mpi_set_ui(NULL, 0x1234), again = NULL;

    write_header(3, 0x03);
    write_int(0xdeadbeef);
    write_mpi(number, 2, "number");
    written = sizeof buffer - lenp;
    bufp = buffer;
    lenp = written;
    skip_header(0x03);
    read_int(value);
    read_mpi(again);
    printf("serial %u bytes, %x, %d, %u left\n", (unsigned)written, value, gcry_mpi_cmp(number, again), (unsigned)lenp);
    gcry_mpi_release(number);
    gcry_mpi_release(again);
    require_len(1);
    return 0;
invval:
    printf("serial: at the end\n");
    return 1;
}

int main(void)
{
    versions();
    base64();
    records();
    types();
    queries();
    names();
    return serial() == 1 ? 0 : 1;
}
