/* PostgreSQL's binary format, as far as numbers and times go; for pg_array and pg_result. */
#ifndef SENDCODE_COMMON_PG_PG_WIRE_H
#define SENDCODE_COMMON_PG_PG_WIRE_H

#include <endian.h>
#include <string.h>

#include "common/base.h"

/* PostgreSQL counts from 2000-01-01 00:00 UTC. */
#define PG_EPOCH_US (INT64_C(946684800) * US_PER_S)
#define US_PER_DAY (INT64_C(86400) * US_PER_S)
#define PG_EPOCH_DAY (PG_EPOCH_US / US_PER_DAY)

static inline void pg_wire_put_i32(uint8_t *out, int32_t v)
{
    uint32_t wire = htobe32((uint32_t)v);
    memcpy(out, &wire, sizeof wire);
}

static inline void pg_wire_put_i64(uint8_t *out, int64_t v)
{
    uint64_t wire = htobe64((uint64_t)v);
    memcpy(out, &wire, sizeof wire);
}

static inline int32_t pg_wire_i32(const void *in)
{
    uint32_t wire;
    memcpy(&wire, in, sizeof wire);
    return (int32_t)be32toh(wire);
}

static inline int64_t pg_wire_i64(const void *in)
{
    uint64_t wire;
    memcpy(&wire, in, sizeof wire);
    return (int64_t)be64toh(wire);
}

#endif
