/* The steps of settings_load, each in a file of its own. All report to s->doc's faults. */
#ifndef SENDCODE_COMMON_SETTINGS_SETTINGS_LOAD_H
#define SENDCODE_COMMON_SETTINGS_SETTINGS_LOAD_H

#include "common/base.h"

struct doc_section;
struct settings;

/* Reads the entries of a document's section into `base`, judging each. */
void settings_read_section(const struct settings *s, const struct doc_section *section,
                           const char *table_section, void *base);

void settings_read_scenes(struct settings *s); /* [scene …] */
void settings_read_secrets(struct settings *s, unsigned needs);
void settings_read_kafka(struct settings *s, bool environment); /* [kafka], SENDCODE_KAFKA_* */
void settings_check_needs(const struct settings *s, unsigned needs);

void settings_free_scenes(struct settings *s);
void settings_free_kafka(struct settings *s);

#endif
