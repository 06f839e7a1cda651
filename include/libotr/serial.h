/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __SERIAL_H__
#define __SERIAL_H__

/*
 * Macros that read and write OTR's data types, all big-endian.
 *
 * They work on two variables of the function that uses them: bufp, an
 * unsigned char pointer, and lenp, the number of bytes that are left. Macros
 * that read jump to the label invval of that function if there are too few.
 * write_mpi also takes the variable format, the format for gcry_mpi_print.
 */

#undef DEBUG

/*
 * Would show what is read and written.
 */
#define debug_data(t,b,l)
#define debug_int(t,b)

/*
 * Writes 4 bytes.
 */
#define write_int(x) do { \
        bufp[0] = ((x) >> 24) & 0xff; \
        bufp[1] = ((x) >> 16) & 0xff; \
        bufp[2] = ((x) >> 8) & 0xff; \
        bufp[3] = (x) & 0xff; \
        bufp += 4; \
        lenp -= 4; \
    } while (0)

/*
 * Writes the number x of nx bytes, its length first; dx is a name for it.
 */
#define write_mpi(x,nx,dx) do { \
        write_int(nx); \
        gcry_mpi_print(format, bufp, lenp, NULL, (x)); \
        debug_data((dx), bufp, (nx)); \
        bufp += (nx); \
        lenp -= (nx); \
    } while (0)

/*
 * Jumps to invval unless l bytes are left.
 */
#define require_len(l) do { \
        if (lenp < (l)) goto invval; \
    } while (0)

/*
 * Reads 4 bytes.
 */
#define read_int(x) do { \
        require_len(4); \
        (x) = ((unsigned int)bufp[0] << 24) | ((unsigned int)bufp[1] << 16) \
            | ((unsigned int)bufp[2] << 8) | (unsigned int)bufp[3]; \
        bufp += 4; \
        lenp -= 4; \
    } while (0)

/*
 * Reads a number behind its length into a gcry_mpi_t.
 */
#define read_mpi(x) do { \
        size_t mpilen; \
        read_int(mpilen); \
        if (mpilen) { \
            require_len(mpilen); \
            gcry_mpi_scan(&(x), GCRYMPI_FMT_USG, bufp, mpilen, NULL); \
        } else { \
            (x) = gcry_mpi_set_ui(NULL, 0); \
        } \
        bufp += mpilen; \
        lenp -= mpilen; \
    } while (0)

/*
 * Writes what every message begins with.
 */
#define write_header(version, msgtype) do { \
        bufp[0] = 0x00; \
        bufp[1] = (version) & 0xff; \
        bufp[2] = (msgtype); \
        debug_data("Header", bufp, 3); \
        bufp += 3; \
        lenp -= 3; \
    } while (0)

/*
 * Reads what every message begins with: version 1, 2 or 3, and type x.
 */
#define skip_header(x) do { \
        require_len(3); \
        if (bufp[0] != 0x00 || bufp[2] != (x)) goto invval; \
        if (bufp[1] != 0x01 && bufp[1] != 0x02 && bufp[1] != 0x03) goto invval; \
        bufp += 3; \
        lenp -= 3; \
    } while (0)

#endif  /* __SERIAL_H__ */
