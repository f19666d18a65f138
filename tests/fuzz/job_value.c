/* Any bytes as a job: what is taken keeps to the contract, and what is refused has one reason. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/domain/job.h"
#include "common/domain/phone.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/settings/settings.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct settings *settings;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct buf faults = BUF_INIT;
    (void)argc;
    (void)argv;
    settings = settings_load(SENDCODE_SOURCE_DIR "/tests/corpus/jobs.conf", 0, &faults);
    if (settings == NULL)
        abort();
    buf_free(&faults);
    return 0;
}

static void must_keep_the_contract(const struct job *job, const char *bytes, size_t size)
{
    struct in6_addr addr;
    if (strlen(job->job_id) < 1 || strlen(job->job_id) > JOB_ID_MAX)
        abort();
    if (!phone_is_valid(job->phone, strlen(job->phone)))
        abort();
    if (job->scene == NULL || strcmp(job->scene->name, job->scene_name) != 0)
        abort();
    if (job->deadline_us <= job->requested_at_us ||
        job->deadline_us > job->requested_at_us + 24 * 3600 * US_PER_S)
        abort();
    if (job->client_ip != NULL && inet_pton(AF_INET, job->client_ip, &addr) != 1 &&
        inet_pton(AF_INET6, job->client_ip, &addr) != 1)
        abort();
    if (json_bytes_have_key(bytes, size, "code"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct job job;
    bool no_memory;
    struct arena *a = arena_new(512);
    if (a == NULL)
        abort();
    enum job_fault fault = job_parse(a, settings, data, size, &job, &no_memory);
    if (no_memory || fault >= JOB_FAULT_FUTURE)
        abort();
    if (fault == JOB_OK)
        must_keep_the_contract(&job, (const char *)data, size);
    else if (json_bytes_have_key((const char *)data, size, "code") && size <= JOB_VALUE_MAX &&
             !job_value_may_hold_code(fault, data, size))
        abort();
    arena_free(a);
    return 0;
}
