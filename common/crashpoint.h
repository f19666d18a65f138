/*
 * A named place at which a test lets the worker die: between two steps of which each leaves
 * something durable. Nothing is left of it but in tests/'s own build of the worker, whose ELF
 * section `crashpoints` holds the names, so that a test can say of all of them that they were
 * tried.
 */
#ifndef SENDCODE_COMMON_CRASHPOINT_H
#define SENDCODE_COMMON_CRASHPOINT_H

#ifdef SENDCODE_CRASHPOINTS

#define CRASHPOINT(name)                                                                           \
    do {                                                                                           \
        static const char point_[] __attribute__((section("crashpoints"), used, aligned(1))) =     \
            name;                                                                                  \
        crashpoint_reach(point_);                                                                  \
    } while (0)

/* SIGKILL to ourselves when the environment's SENDCODE_CRASHPOINT is `name`, or `name:n` and this
 * is the n-th time. */
void crashpoint_reach(const char *name);

#else
#define CRASHPOINT(name) ((void)0)
#endif

#endif
