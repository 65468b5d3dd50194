package database

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
static void bound_arenas(void) { mallopt(M_ARENA_MAX, 2); }
#else
static void bound_arenas(void) {}
#endif
*/
import "C"

// boundArenas keeps SQLite's memory together. The C library gives each thread that asks for memory a part of its own, up to eight for
// each core, of which little is ever given back, and Go calls SQLite from ever other threads (mallopt(3)).
func boundArenas() { C.bound_arenas() }
