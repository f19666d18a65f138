/* Log lines: quoting, bounds, levels, gates, and a stderr that does not take them. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "tests/check.h"

static char line[2 * PIPE_BUF];
static int lines;
static int64_t now_us;

static void keep_line(void *arg, const char *bytes, size_t len)
{
    (void)arg;
    assert_in_range(len, 1, PIPE_BUF);
    assert_int_equal(bytes[len - 1], '\n');
    assert_null(memchr(bytes, '\n', len - 1));
    memcpy(line, bytes, len - 1);
    line[len - 1] = '\0';
    lines++;
}

static int64_t fake_now_us(void)
{
    return now_us;
}

static int set_up(void **state)
{
    (void)state;
    static const struct clock_source source = {.boot_us = fake_now_us, .wall_us = fake_now_us};
    now_us = INT64_C(1795334400123456);
    lines = 0;
    clock_set_source(&source);
    log_set_sink(keep_line, NULL);
    log_set_level(LOG_INFO);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    clock_set_source(NULL);
    log_set_sink(NULL, NULL);
    return 0;
}

static void a_line_has_time_level_message_and_fields(void **state)
{
    (void)state;
    log_info("kafka is back", LI("after_s", 3), LS("topic", "sendcode.jobs"), LS("none", NULL));
    assert_string_equal(line,
                        "t=2026-11-22T08:00:00.123Z level=info msg=\"kafka is back\" after_s=3 "
                        "topic=sendcode.jobs");
    log_error("bare");
    assert_string_equal(line, "t=2026-11-22T08:00:00.123Z level=error msg=bare");
}

static void values_are_quoted_as_needed(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *text;
    } cases[] = {
        {"plain",             "plain"                  },
        {"+86138****8000",    "+86138****8000"         },
        {"a:b/c?d&e",         "a:b/c?d&e"              },
        {"",                  "\"\""                   },
        {"two words",         "\"two words\""          },
        {"a=b",               "\"a=b\""                },
        {"say \"hi\"",        "\"say \\\"hi\\\"\""     },
        {"back\\slash",       "\"back\\\\slash\""      },
        {"a\nb\rc\td",        "\"a\\nb\\rc\\td\""      },
        {"\x01\x1b[0m\x7f",   "\"\\x01\\x1b[0m\\x7f\"" },
        {"\xe4\xb8\xad",      "\xe4\xb8\xad"           },
        {"\xe4\xb8\xad x",    "\"\xe4\xb8\xad x\""     },
        {"bad \xff\xe4 utf8", "\"bad \\xff\\xe4 utf8\""},
        {"x level=fatal",     "\"x level=fatal\""      },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        log_info("m", LS("v", cases[i].value));
        assert_string_equal(strstr(line, " v=") + 3, cases[i].text);
    }
}

static void what_is_too_long_is_cut_and_the_quote_closed(void **state)
{
    (void)state;
    static char value[3 * PIPE_BUF];
    static const char *const pieces[] = {"x", " ", "\"", "\xe4\xb8\xad", "\n"};
    for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
        for (size_t shift = 0; shift < 4; shift++) {
            memset(value, 'x', shift);
            value[shift] = '\0';
            for (size_t n = shift; n + 4 < sizeof(value); n += strlen(pieces[p])) {
                memcpy(value + n, pieces[p], strlen(pieces[p]) + 1);
            }
            log_info("m", LS("long", value), LS("after", "y"), LI("n", 1));
            size_t len = strlen(line);
            assert_in_range(len, PIPE_BUF - 10, PIPE_BUF - 1);
            assert_non_null(strrchr(line, '"'));
        }
    }
}

static void nothing_below_the_level_is_written(void **state)
{
    (void)state;
    log_debug("no");
    assert_int_equal(lines, 0);
    log_set_level(LOG_WARN);
    log_info("no");
    assert_int_equal(lines, 0);
    log_warn("yes");
    assert_int_equal(lines, 1);
    enum log_level level = LOG_FATAL;
    assert_true(log_level_from_text("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_false(log_level_from_text("loud", &level));
}

static void a_gate_opens_once_a_period_and_counts_the_dropped(void **state)
{
    (void)state;
    struct log_gate g = {.period_us = 10 * US_PER_S};
    int64_t dropped = -1;
    assert_false(log_gate_reset(&g));
    assert_true(log_gate_open(&g, &dropped));
    assert_int_equal(dropped, 0);
    assert_false(log_gate_open(&g, &dropped));
    now_us += 10 * US_PER_S - 1;
    assert_false(log_gate_open(&g, &dropped));
    now_us += 1;
    assert_true(log_gate_open(&g, &dropped));
    assert_int_equal(dropped, 2);
    assert_true(log_gate_reset(&g));
    assert_false(log_gate_reset(&g));
    assert_true(log_gate_open(&g, &dropped));
    assert_int_equal(dropped, 0);
}

/* Runs log calls with stderr on a pipe whose reader end it returns; *saved is the real stderr. */
static int stderr_to_pipe(int *saved)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    *saved = dup(STDERR_FILENO);
    assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    close(fds[1]);
    log_set_sink(NULL, NULL);
    return fds[0];
}

static void a_full_or_closed_stderr_loses_whole_lines_and_says_how_many(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    int saved = -1;
    int reader = stderr_to_pipe(&saved);
    int written = 0;
    static char bytes[1 << 20];
    while (write(STDERR_FILENO, bytes, PIPE_BUF) > 0) {
        written++;
    }
    log_info("lost");
    log_info("lost too");
    bool drained = written > 0 && read(reader, bytes, sizeof(bytes)) > 0;
    log_info("kept");
    ssize_t n = read(reader, bytes, sizeof(bytes) - 1);
    close(reader);
    log_info("nobody reads");
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_true(drained);
    assert_true(n > 0);
    bytes[n] = '\0';
    assert_string_equal(bytes, "t=2026-11-22T08:00:00.123Z level=info msg=kept lost_lines=2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_time_level_message_and_fields, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(values_are_quoted_as_needed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_long_is_cut_and_the_quote_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_below_the_level_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gate_opens_once_a_period_and_counts_the_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_or_closed_stderr_loses_whole_lines_and_says_how_many,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
