/* What a program needs and the configuration does not have. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/settings/settings.h"
#include "common/settings/settings_doc.h"
#include "common/settings/settings_load.h"

#define RETENTION_DAYS_MIN 7
#define RECEIPT_OVERDUE_MIN 60

static void fault_at_section(const struct settings *s, const char *section, const char *key,
                             const char *expected)
{
    const struct doc_section *found = settings_doc_section(s->doc, section);
    settings_fault(s->doc, found != NULL ? found->line : 0, section, key, "expected %s", expected);
}

static void check_kafka(const struct settings *s)
{
    if (settings_kafka(s, "bootstrap.servers") == NULL &&
        settings_kafka(s, "metadata.broker.list") == NULL)
        fault_at_section(s, "kafka", "bootstrap.servers",
                         "a list of brokers, HOST:PORT with commas between");
}

static void check_ca_file(const struct settings *s)
{
    const struct doc_entry *entry =
        settings_doc_entry(settings_doc_section(s->doc, "tencent"), "ca_file");
    if (s->tencent.ca_file == NULL)
        return;
    int fd = open(s->tencent.ca_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        settings_fault(s->doc, entry->line, "tencent", "ca_file",
                       "expected a readable PEM file: %s", strerror(errno));
    else
        close(fd);
}

static bool wants_sign_name(const struct scene *scene)
{
    for (size_t i = 0; i < scene->n_country_codes; i++)
        if (strcmp(scene->country_codes[i], "86") == 0)
            return true;
    return false;
}

/* Says nothing where a value stands: it was refused already. */
static void fault_in_scene(const struct settings *s, const struct scene *scene, const char *key,
                           const char *expected)
{
    const struct doc_section *section;
    char name[80];
    snprintf(name, sizeof(name), "scene %s%s%s", scene->name, scene->locale != NULL ? " " : "",
             scene->locale != NULL ? scene->locale : "");
    section = settings_doc_section(s->doc, name);
    if (settings_doc_entry(section, key) == NULL &&
        settings_doc_entry(settings_doc_section(s->doc, "tencent"), key) == NULL)
        settings_fault(s->doc, section->line, name, key, "expected %s", expected);
}

/* A locale's section is judged only where its scene's own is whole, so that one lack is one fault.
 */
static bool scene_is_whole(const struct scene *scene)
{
    return scene->template_id != NULL && scene->sdk_app_id != NULL &&
           (scene->sign_name != NULL || !wants_sign_name(scene));
}

static void check_scene(const struct settings *s, const struct scene *scene)
{
    if (scene->locale != NULL && !scene_is_whole(settings_scene(s, scene->name, NULL)))
        return;
    if (scene->template_id == NULL)
        fault_in_scene(s, scene, "template_id", "the id of an approved template");
    if (scene->sdk_app_id == NULL)
        fault_in_scene(s, scene, "sdk_app_id", "the SMS application's id, here or in [tencent]");
    if (scene->sign_name == NULL && wants_sign_name(scene))
        fault_in_scene(s, scene, "sign_name",
                       "an approved signature, here or in [tencent], for country code 86");
}

static void check_scenes(const struct settings *s)
{
    if (s->n_scenes == 0)
        settings_fault(s->doc, 0, "scene NAME", NULL, "expected at least one scene");
    for (size_t i = 0; i < s->n_scenes; i++)
        check_scene(s, &s->scenes[i]);
}

/* Jobs in doubt are settled for three days, and receipts come as late. */
static void check_retention(const struct settings *s)
{
    const struct {
        const char *key;
        int64_t days;
    } rows[] = {
        {"deliveries", s->retention.deliveries},
        {"attempts",   s->retention.attempts  },
        {"receipts",   s->retention.receipts  },
    };
    const struct doc_section *section = settings_doc_section(s->doc, "retention");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].days > 0 && rows[i].days < RETENTION_DAYS_MIN)
            settings_fault(s->doc, settings_doc_entry(section, rows[i].key)->line, "retention",
                           rows[i].key, "expected 0, or %d days or more", RETENTION_DAYS_MIN);
}

/* Carriers take that long for most receipts: sooner, every delivery would be asked about. */
static void check_overdue(const struct settings *s)
{
    const struct doc_section *section = settings_doc_section(s->doc, "tencent");
    int64_t seconds = s->tencent.receipt_overdue;
    if (seconds > 0 && seconds < RECEIPT_OVERDUE_MIN)
        settings_fault(s->doc, settings_doc_entry(section, "receipt_overdue")->line, "tencent",
                       "receipt_overdue", "expected 0, or %d seconds or more", RECEIPT_OVERDUE_MIN);
}

void settings_check_needs(const struct settings *s, unsigned needs)
{
    check_retention(s);
    check_overdue(s);
    if (needs & SETTINGS_NEED_KAFKA)
        check_kafka(s);
    if ((needs & SETTINGS_NEED_RECEIVER) && s->receiver.dsn == NULL &&
        settings_doc_entry(settings_doc_section(s->doc, "receiver"), "dsn") == NULL)
        needs |= SETTINGS_NEED_POSTGRES;
    if ((needs & SETTINGS_NEED_POSTGRES) && s->postgres.dsn == NULL &&
        settings_doc_entry(settings_doc_section(s->doc, "postgres"), "dsn") == NULL)
        fault_at_section(s, "postgres", "dsn", "a connection string of libpq");
    if (needs & SETTINGS_NEED_TENCENT) {
        check_ca_file(s);
        check_scenes(s);
    }
}
