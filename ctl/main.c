/* sendcodectl: the operator's tool. Finds the command and runs it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/streams.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"

static const struct command *const commands[] = {
    &command_migrate,  &command_enqueue, &command_verify, &command_unlock,
    &command_timeline, &command_audit,   &command_replay, &command_erase,
};

static void print_usage(FILE *out)
{
    fputs("usage: sendcodectl [-c FILE] COMMAND [OPTION…]\n\n"
          "  -c FILE   the configuration (else the environment alone)\n\n"
          "commands; each tells more with --help:\n",
          out);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* What the reader did not get in full is no success. */
static int end_output(const struct ctl *c, int code)
{
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || code != EXIT_DONE)
        return code;
    ctl_say(c, "standard output takes no more, and lacks some of the answer: %s",
            errno ? strerror(errno) : "it was full or closed");
    return EXIT_NO;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"help",   no_argument,       NULL, 'h'},
        {NULL,     0,                 NULL, 0  }
    };
    struct ctl c = {0};
    const struct command *command;
    int option;

    streams_open_missing();
    while ((option = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            c.config = optarg;
            break;
        case 'h':
            print_usage(stdout);
            return EXIT_DONE;
        default:
            print_usage(stderr);
            return EXIT_USAGE_ERROR;
        }
    }
    if (optind == argc) {
        print_usage(stderr);
        return EXIT_USAGE_ERROR;
    }
    command = find_command(argv[optind]);
    if (!command) {
        fprintf(stderr, "sendcodectl: there is no command %s\n", argv[optind]);
        print_usage(stderr);
        return EXIT_USAGE_ERROR;
    }
    c.command = command->name;
    c.help = command->help;
    argv += optind;
    argc -= optind;
    optind = 0; /* glibc: begin anew */
    opterr = 0; /* the commands say it themselves */
    return end_output(&c, command->run(&c, argc, argv));
}
