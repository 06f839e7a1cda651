dnl libotr.m4 - finds libotr for a configure.ac
dnl SPDX-License-Identifier: MIT OR Apache-2.0
dnl
dnl AM_PATH_LIBOTR([MINIMUM-VERSION], [ACTION-IF-FOUND], [ACTION-IF-NOT-FOUND])
dnl
dnl Looks for a libotr of the same major version as MINIMUM-VERSION (default 4.0.0) that is at least as new, and
dnl substitutes LIBOTR_CFLAGS and LIBOTR_LIBS. The result is also in the shell variable have_libotr (yes or no).
dnl Options of the resulting configure:
dnl   --with-libotr-prefix=DIR       where libotr is installed
dnl   --with-libotr-inc-prefix=DIR   where its headers are: DIR/libotr/version.h
dnl Without them pkg-config is asked, and if it knows nothing, the compiler's own folders are used.

# serial 1

AC_DEFUN([AM_PATH_LIBOTR],
[AC_REQUIRE([AC_PROG_CC])dnl
AC_ARG_WITH([libotr-prefix],
  [AS_HELP_STRING([--with-libotr-prefix=DIR], [where libotr is installed])],
  [libotr_prefix=$withval], [libotr_prefix=])
AC_ARG_WITH([libotr-inc-prefix],
  [AS_HELP_STRING([--with-libotr-inc-prefix=DIR], [folder that holds libotr/version.h])],
  [libotr_inc_prefix=$withval], [libotr_inc_prefix=])

libotr_wanted=m4_default([$1], [4.0.0])
AC_CACHE_VAL([libotr_cv_flags_found], [
  LIBOTR_CFLAGS= LIBOTR_LIBS=
  if test -n "$libotr_prefix$libotr_inc_prefix"; then
    test -z "$libotr_inc_prefix" && libotr_inc_prefix=$libotr_prefix/include
    LIBOTR_CFLAGS=-I$libotr_inc_prefix
    test -n "$libotr_prefix" && LIBOTR_LIBS=-L$libotr_prefix/lib
    LIBOTR_LIBS="$LIBOTR_LIBS -lotr"
  elif ${PKG_CONFIG-pkg-config} --exists libotr 2>/dev/null; then
    LIBOTR_CFLAGS=`${PKG_CONFIG-pkg-config} --cflags libotr`
    LIBOTR_LIBS=`${PKG_CONFIG-pkg-config} --libs libotr`
  else
    LIBOTR_LIBS=-lotr
  fi
  libotr_cv_flags_found=yes
])

AC_MSG_CHECKING([for libotr >= $libotr_wanted])
libotr_saved_CPPFLAGS=$CPPFLAGS libotr_saved_LIBS=$LIBS
CPPFLAGS="$CPPFLAGS $LIBOTR_CFLAGS"
LIBS="$LIBOTR_LIBS $LIBS"
libotr_major=`echo "$libotr_wanted.0.0" | sed 's/^\([[0-9]]*\)\..*/\1/'`
libotr_minor=`echo "$libotr_wanted.0.0" | sed 's/^[[0-9]]*\.\([[0-9]]*\)\..*/\1/'`
libotr_micro=`echo "$libotr_wanted.0.0" | sed 's/^[[0-9]]*\.[[0-9]]*\.\([[0-9]]*\).*/\1/'`
dnl The headers say the version at compile time, so this works when cross-compiling; linking shows that the library is there.
AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <libotr/version.h>
#if OTRL_VERSION_MAJOR != $libotr_major
#error another major version
#endif
#if OTRL_VERSION_MINOR < $libotr_minor || (OTRL_VERSION_MINOR == $libotr_minor && OTRL_VERSION_SUB < $libotr_micro)
#error too old
#endif
extern const char *otrl_version(void);
]], [[return !otrl_version();]])], [have_libotr=yes], [have_libotr=no])
CPPFLAGS=$libotr_saved_CPPFLAGS LIBS=$libotr_saved_LIBS
AC_MSG_RESULT([$have_libotr])

if test "$have_libotr" = yes; then
  m4_default([$2], [:])
else
  LIBOTR_CFLAGS= LIBOTR_LIBS=
  m4_default([$3], [:])
fi
AC_SUBST([LIBOTR_CFLAGS])
AC_SUBST([LIBOTR_LIBS])
])
