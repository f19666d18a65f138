/* librdkafka's properties, verbatim: from [kafka], then from SENDCODE_KAFKA_*, which may be secret.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "common/settings/settings_check.h"
#include "common/settings/settings_doc.h"
#include "common/settings/settings_env.h"
#include "common/settings/settings_load.h"
#include "common/text.h"

#define PREFIX "SENDCODE_KAFKA_"
#define PROPERTY_MAX 100

/* Offsets are committed when their jobs are done, never by librdkafka's clock. */
static const char *const kept_off[] = {"enable.auto.commit", "auto.commit.enable",
                                       "enable.auto.offset.store"};

static bool turns_on(const char *name, const char *value)
{
    for (size_t i = 0; i < ARRAY_LEN(kept_off); i++)
        if (strcmp(name, kept_off[i]) == 0)
            return strcasecmp(value, "false") != 0 && strcasecmp(value, "f") != 0 &&
                   strcmp(value, "0") != 0;
    return false;
}

/* Takes over origin. */
static void set_property(struct settings *s, const char *name, const char *value, char *origin,
                         bool environment)
{
    struct property *p = NULL;
    for (size_t i = 0; i < s->n_kafka && p == NULL; i++)
        if (strcmp(s->kafka[i].name, name) == 0)
            p = &s->kafka[i];
    if (p == NULL) {
        p = &s->kafka[s->n_kafka++];
        p->name = mem_must_strdup(name);
    }
    mem_free(p->value);
    mem_free(p->origin);
    p->value = mem_must_strdup(value);
    p->origin = origin;
    p->from_environment = environment;
}

/* "sasl.password" → "SENDCODE_KAFKA_SASL_PASSWORD". */
static void fault_secret(const struct settings *s, const struct doc_entry *entry)
{
    char variable[sizeof(PREFIX) + PROPERTY_MAX];
    snprintf(variable, sizeof(variable), PREFIX "%.100s", entry->key);
    for (char *c = variable; *c != '\0'; c++)
        *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
    settings_fault(s->doc, entry->line, "kafka", entry->key,
                   "expected no secret here: set %s or %s_FILE in the environment", variable,
                   variable);
}

static void read_file_entry(struct settings *s, const struct doc_entry *entry)
{
    if (check_is_secret_property(entry->key))
        fault_secret(s, entry);
    else if (entry->value[0] == '\0')
        settings_fault(s->doc, entry->line, "kafka", entry->key, "expected a value");
    else if (turns_on(entry->key, entry->value))
        settings_fault(s->doc, entry->line, "kafka", entry->key,
                       "expected false: offsets are committed when their jobs are done");
    else
        set_property(s, entry->key, entry->value,
                     settings_doc_origin(s->doc, entry->line, "kafka", entry->key), false);
}

/* "SASL_PASSWORD" → "sasl.password". */
static void property_name(const char *upper, size_t len, char out[PROPERTY_MAX + 1])
{
    for (size_t i = 0; i < len; i++)
        out[i] = upper[i] == '_' ? '.' : (char)tolower((unsigned char)upper[i]);
    out[len] = '\0';
}

/* variable: the whole name without _FILE. */
static void read_variable(struct settings *s, const char *variable)
{
    char name[PROPERTY_MAX + 1];
    struct buf value = BUF_INIT;
    property_name(variable + strlen(PREFIX), strlen(variable) - strlen(PREFIX), name);
    enum env_found found = settings_env_get(s->doc, variable, &value);
    if (found == ENV_FOUND && turns_on(name, buf_text(&value)))
        settings_env_fault(s->doc, variable,
                           "expected false: offsets are committed when their jobs are done");
    else if (found == ENV_FOUND)
        set_property(s, name, buf_text(&value), settings_env_origin(variable), true);
    buf_wipe(&value);
}

/* Reads the variable of one environment entry; of a pair with _FILE, at the first of the two. */
static void read_environ_entry(struct settings *s, char **entry)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    char variable[sizeof(PREFIX) + PROPERTY_MAX + 8];
    size_t len = strcspn(*entry, "=");
    snprintf(variable, sizeof(variable), "%.*s", (int)MIN(len, sizeof(variable) - 1), *entry);
    size_t name_len = len - strlen(PREFIX);
    if (name_len > 5 && memcmp(*entry + len - 5, "_FILE", 5) == 0)
        name_len -= 5;
    if (name_len > PROPERTY_MAX || !text_all_in(variable + strlen(PREFIX), name_len, letters)) {
        settings_env_fault(s->doc, variable,
                           "expected a property of librdkafka in A-Z 0-9 _ behind " PREFIX);
        return;
    }
    variable[strlen(PREFIX) + name_len] = '\0';
    for (char **other = environ; other != entry; other++)
        if (strncmp(*other, variable, strlen(variable)) == 0 &&
            (strncmp(*other + strlen(variable), "=", 1) == 0 ||
             strncmp(*other + strlen(variable), "_FILE=", 6) == 0))
            return;
    read_variable(s, variable);
}

/* An environment that was cleared has no list at all. */
static char **first_variable(void)
{
    static char *none[] = {NULL};
    return environ != NULL ? environ : none;
}

static size_t count_properties(const struct settings *s)
{
    const struct doc_section *section = settings_doc_section(s->doc, "kafka");
    const struct doc_entry *entry;
    size_t n = 0;
    if (section != NULL)
        DL_COUNT(section->entries, entry, n);
    for (char **variable = first_variable(); *variable != NULL; variable++)
        n += strncmp(*variable, PREFIX, strlen(PREFIX)) == 0;
    return n;
}

void settings_read_kafka(struct settings *s, bool environment)
{
    const struct doc_section *section = settings_doc_section(s->doc, "kafka");
    const struct doc_entry *entry;
    s->kafka = mem_must_alloc((count_properties(s) + 1) * sizeof(*s->kafka));
    if (section != NULL) {
        DL_FOREACH(section->entries, entry)
        {
            read_file_entry(s, entry);
        }
    }
    for (char **variable = first_variable(); environment && *variable != NULL; variable++)
        if (strncmp(*variable, PREFIX, strlen(PREFIX)) == 0)
            read_environ_entry(s, variable);
}

void settings_free_kafka(struct settings *s)
{
    for (size_t i = 0; i < s->n_kafka; i++) {
        mem_free_secret(s->kafka[i].value);
        mem_free(s->kafka[i].name);
        mem_free(s->kafka[i].origin);
    }
    mem_free(s->kafka);
}
