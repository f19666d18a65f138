/*
 * What any worker does about carriers' receipts: has those that came joined to their jobs (the
 * database judges and announces by the outbox), fetches what the provider hands out only when it is
 * asked (receipt_fetch), tells it of verified codes (conversions), and has old data dropped.
 * Nothing here sends, or delays a send: it has its own connection.
 */
#ifndef SENDCODE_WORKER_RECEIPTS_H
#define SENDCODE_WORKER_RECEIPTS_H

#include "common/base.h"
#include "worker/ports/receipts.h"

struct loop;
struct meters;
struct receipts;
struct settings;

/* meters outlive it; settings until the next ones are given, or its end. */
NODISCARD struct receipts *receipts_new(struct loop *l, const struct settings *s,
                                        struct meters *meters);
void receipts_free(struct receipts *r);

/* What the adapters are made with; then the ports they gave, which outlive it. */
struct receipts_db_handlers receipts_db_handlers(struct receipts *r);
struct receipts_provider_handlers receipts_provider_handlers(struct receipts *r);
struct conversions_provider_handlers receipts_conversion_handlers(struct receipts *r);
void receipts_start(struct receipts *r, struct receipts_db *db, struct receipts_provider *provider,
                    struct conversions_provider *conversions);

void receipts_set_settings(struct receipts *r, const struct settings *s);

/* Nothing new is begun; what was pulled is stored; then done(arg), never before this returns. */
void receipts_drain(struct receipts *r, void (*done)(void *arg), void *arg);

/* In memory and nowhere else. */
size_t receipts_unstored(const struct receipts *r);

#endif
