/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __VERSION_H__
#define __VERSION_H__

/*
 * The version of the interface as a string.
 */
#define OTRL_VERSION "4.1.1"

/**
 * Major part of the version.
 */
#define OTRL_VERSION_MAJOR 4

/**
 * Minor part of the version.
 */
#define OTRL_VERSION_MINOR 1

/**
 * Last part of the version.
 */
#define OTRL_VERSION_SUB 1

#endif  /* __VERSION_H__ */
