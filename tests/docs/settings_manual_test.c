/* docs/man/sendcode.conf.5 is what the settings table says. */
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/settings/settings.h"
#include "common/settings/settings_file.h"
#include "common/settings/settings_table.h"
#include "tests/check.h"

static void every_key_has_its_entry(void **state)
{
    struct buf manual = BUF_INIT;
    (void)state;
    settings_manual(&manual);
    for (size_t i = 0; i < settings_table_size; i++) {
        char entry[64];
        snprintf(entry, sizeof(entry), ".TP\n.B %s\n", settings_table[i].key);
        if (strstr(buf_text(&manual), entry) == NULL)
            fail_msg("%s is not there", settings_table[i].key);
    }
    buf_free(&manual);
}

/* Where they differ, the test leaves the right text beside itself. */
static void the_file_in_docs_is_the_manual(void **state)
{
    struct buf manual = BUF_INIT, file = BUF_INIT;
    (void)state;
    settings_manual(&manual);
    int failure = settings_file_read(SENDCODE_SOURCE_DIR "/docs/man/sendcode.conf.5", &file);
    if (failure != 0 || strcmp(buf_text(&manual), buf_text(&file)) != 0) {
        FILE *f = fopen("sendcode.conf.5.expected", "w");
        assert_non_null(f);
        fputs(buf_text(&manual), f);
        fclose(f);
        fail_msg("docs/man/sendcode.conf.5 differs from the table: take sendcode.conf.5.expected");
    }
    buf_free(&manual);
    buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_has_its_entry),
        cmocka_unit_test(the_file_in_docs_is_the_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
