/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __TLV_H__
#define __TLV_H__

#include <stddef.h>

/**
 * Means nothing.
 */
#define OTRL_TLV_PADDING 0

/**
 * The sender has forgotten the keys of the conversation.
 */
#define OTRL_TLV_DISCONNECTED 1

/**
 * First message of a comparison of secrets.
 */
#define OTRL_TLV_SMP1 2

/**
 * Second message of a comparison of secrets.
 */
#define OTRL_TLV_SMP2 3

/**
 * Third message of a comparison of secrets.
 */
#define OTRL_TLV_SMP3 4

/**
 * Fourth message of a comparison of secrets.
 */
#define OTRL_TLV_SMP4 5

/**
 * The comparison of secrets is off.
 */
#define OTRL_TLV_SMP_ABORT 6

/**
 * First message of a comparison of secrets, with a question: text, NUL, and
 * the value that the first message has without one.
 */
#define OTRL_TLV_SMP1Q 7

/**
 * The extra symmetric key is about to be used: four bytes that say for what,
 * and data that depend on it.
 */
#define OTRL_TLV_SYMKEY 8

/**
 * A record of a type and a value.
 */
struct s_OtrlTLV {
    /**
     * The type.
     */
    unsigned short type;
    /**
     * The length of `data` in bytes.
     */
    unsigned short len;
    /**
     * The value, from `malloc`. A NUL that does not count follows it.
     */
    unsigned char *data;
    /**
     * The next record, or NULL.
     */
    struct s_OtrlTLV *next;
};

/**
 * A record of a type and a value.
 */
typedef struct s_OtrlTLV OtrlTLV;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a record with a copy of `len` bytes. NULL without memory, or if `data`
 * is NULL although `len` is not 0.
 *
 * The caller promises:
 * `data` is NULL or has `len` bytes.
 */
OtrlTLV *otrl_tlv_new(unsigned short type,
                      unsigned short len,
                      const unsigned char *data);

/**
 * Makes a chain of the records in `seriallen` bytes. A record that is cut off
 * ends the chain. NULL if there is none.
 *
 * The caller promises:
 * `serialized` is NULL or has `seriallen` bytes.
 */
OtrlTLV *otrl_tlv_parse(const unsigned char *serialized, size_t seriallen);

/**
 * Releases a chain of records.
 *
 * The caller promises:
 * `tlv` is NULL or a valid record that is not used any more.
 */
void otrl_tlv_free(OtrlTLV *tlv);

/**
 * The number of bytes that a chain takes when it is sent.
 *
 * The caller promises:
 * `tlv` is NULL or a valid record.
 */
size_t otrl_tlv_seriallen(const OtrlTLV *tlv);

/**
 * Writes a chain as it is sent.
 *
 * The caller promises:
 * `tlv` is NULL or a valid record; `buf` has room for as many bytes as
 * `otrl_tlv_seriallen` says.
 */
void otrl_tlv_serialize(unsigned char *buf, const OtrlTLV *tlv);

/**
 * The first record of a type in a chain, or NULL.
 *
 * The caller promises:
 * `tlvs` is NULL or a valid record.
 */
OtrlTLV *otrl_tlv_find(OtrlTLV *tlvs, unsigned short type);

#ifdef __cplusplus
}
#endif

#endif  /* __TLV_H__ */
