/* The commands of sendcodectl. Each gets its own name in argv[0] and returns an exit code. */
#ifndef SENDCODE_CTL_COMMANDS_H
#define SENDCODE_CTL_COMMANDS_H

struct ctl;

typedef int command_run(const struct ctl *c, int argc, char **argv);

struct command {
    const char *name;
    const char *summary;
    const char *help;
    command_run *run;
};

extern const struct command command_migrate;
extern const struct command command_enqueue;
extern const struct command command_verify;
extern const struct command command_unlock;
extern const struct command command_timeline;
extern const struct command command_audit;
extern const struct command command_replay;
extern const struct command command_erase;

#endif
