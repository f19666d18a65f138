/*
 * librdkafka configurations from our settings: [kafka] verbatim, our defaults beneath, and what may
 * not be changed on top. Owner, with worker/kafka, of librdkafka's headers.
 */
#ifndef SENDCODE_COMMON_KAFKA_KAFKA_CONF_H
#define SENDCODE_COMMON_KAFKA_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>

#include "common/base.h"

struct err;
struct settings;
struct buf;

enum kafka_role { KAFKA_CONSUMER, KAFKA_PRODUCER, KAFKA_ADMIN };

/*
 * A property that is for another role only is left out; one that is unknown, refused or fixed is a
 * PERM error naming it. A consumer's and a producer's logs wait in the client's main queue
 * (rd_kafka_set_log_queue); an admin client is silent. The caller owns the result until it gives it
 * to rd_kafka_new.
 */
NODISCARD rd_kafka_conf_t *kafka_conf_new(const struct settings *s, enum kafka_role role,
                                          struct err *e);

/*
 * Every [kafka] property that librdkafka does not know or refuses, alone or together with the
 * others (a certificate that cannot be read): one line each, for --check-config. Connects to
 * nothing.
 */
void kafka_conf_check(const struct settings *s, struct buf *faults);

#endif
