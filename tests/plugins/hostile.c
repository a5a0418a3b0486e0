/* An encoder and a regressor that do harm in the way that FAULT names, once they see an architecture that is much larger than all that
 * they were fitted on; or while they are loaded, described, made or fitted. Their names end in NAME. */
#define _GNU_SOURCE
#include "lglp_plugin.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Another build says something else of the same state. */
#ifndef FACTOR
#define FACTOR 1
#endif

#define STR(text) {(const uint8_t *)(text), sizeof(text) - 1}

enum {
    NONE,
    /* While it is loaded. */
    ABORTS_AT_LOAD,
    EXITS_AT_LOAD,
    SEGFAULTS_AT_LOAD,
    HANGS_AT_LOAD,
    NEWER_VERSION,
    OTHER_MAGIC,
    NAME_IS_NO_TEXT,
    ABORTS_IN_SCHEMA,
    EXITS_IN_SCHEMA,
    HANGS_IN_SCHEMA,
    SCHEMA_EXPLODES,
    SCHEMA_IN_A_CIRCLE,
    ABORTS_IN_CHECK,
    HANGS_IN_CHECK,
    /* Later. */
    ABORTS_IN_CREATE,
    HANGS_IN_CREATE,
    ABORTS_IN_FIT,
    EXITS_IN_FIT,
    SEGFAULTS_IN_FIT,
    HANGS_IN_FIT,
    LIES_OF_ITS_STATE,
    SAVES_NOTHING,
    SAVES_ANOTHER,
    REPORTS_FOR_EVER,
    REPORTS_OFTEN,
    ENCODES_TOO_MUCH,
    ABORTS,
    EXITS,
    SEGFAULTS,
    HANGS,
    FREES_TWICE,
    WRITES_BEHIND,
    OVERFLOWS_ITS_STACK,
    TAKES_ALL_MEMORY,
    TAKES_MEMORY_UNCOUNTED,
    MAKES_THREADS,
    STOPS,
    KILLS_THE_HOST,
    FORKS,
    LEAVES_A_THREAD,
    CLOSES_ALL_FILES,
    WRITES_TO_ALL_FILES,
    NOT_A_NUMBER,
    REPORTS_IN_A_PREDICTION,
    ANSWERS_ANOTHER,
    ANNOUNCES_TOO_MUCH,
};

typedef struct {
    double largest, mean;
} Model;

static _Noreturn void hang(void) {
    for (;;) pause();
}

static volatile uint64_t spinning;

static void *spin(void *nothing) {
    (void)nothing;
    while (spinning < UINT64_MAX) spinning++;
    return NULL;
}

static void *wait_for_ever(void *nothing) {
    (void)nothing;
    hang();
}

__attribute__((noinline)) static int deeper(int depth) {
    volatile char room[1 << 16];
    memset((char *)room, depth, sizeof room);
    return depth < 1 << 30 ? deeper(depth + 1) + room[depth % 16] : 0;
}

/* Says something to lglp in the place of the process that the plugin runs in. */
static void say(const char *json, uint32_t announced) {
    uint32_t length = announced ? announced : (uint32_t)strlen(json);
    for (int file = 3; file < 300; file++) {
        int type;
        socklen_t size = sizeof type;
        if (getsockopt(file, SOL_SOCKET, SO_TYPE, &type, &size) == 0)
            if (write(file, &length, sizeof length) < 0 || write(file, json, strlen(json)) < 0) continue;
    }
}

static void do_harm(double *out, size_t rows) {
    switch (FAULT) {
    case ABORTS: abort();
    case EXITS: _exit(0);
    case SEGFAULTS: *(volatile int *)8 = 1; break;
    case HANGS: hang(); break;
    case FREES_TWICE: {
        void *volatile once = malloc(100);
        free(once);
        free(once);
        break;
    }
    case WRITES_BEHIND:
        for (size_t i = 0; i < 1 << 22; i++) ((volatile double *)out)[rows + i] = 1e300;
        break;
    case OVERFLOWS_ITS_STACK: out[0] = deeper(0); break;
    case TAKES_ALL_MEMORY:
        for (;;) {
            void *taken = malloc(64 << 20);
            if (!taken) abort();
            memset(taken, 1, 64 << 20);
        }
    case TAKES_MEMORY_UNCOUNTED:
        /* What may be written is counted by the system's limit, and what might be written is not. */
        for (int i = 0; i < 32; i++) {
            void *taken = mmap(NULL, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (taken == MAP_FAILED) break;
            memset(taken, 1, 32 << 20);
            mprotect(taken, 32 << 20, PROT_READ);
        }
        hang();
    case MAKES_THREADS:
        for (int i = 0; i < 1000; i++) {
            pthread_t thread;
            pthread_attr_t small;
            pthread_attr_init(&small);
            pthread_attr_setstacksize(&small, 1 << 16);
            pthread_create(&thread, &small, wait_for_ever, NULL);
        }
        hang();
    case STOPS: raise(SIGSTOP); break;
    case KILLS_THE_HOST:
        kill(getppid(), SIGKILL);
        kill(getpgid(getppid()), SIGKILL);
        break;
    case FORKS:
        for (int i = 0; i < 1000; i++)
            if (fork() == 0) hang();
        break;
    case LEAVES_A_THREAD: {
        pthread_t thread;
        pthread_create(&thread, NULL, spin, NULL);
        break;
    }
    case CLOSES_ALL_FILES:
        for (int file = 0; file < 2000; file++) close(file);
        break;
    case WRITES_TO_ALL_FILES:
        for (int file = 0; file < 2000; file++) {
            const char junk[] = "\xff\xff\xff\xff junk";
            if (fcntl(file, F_GETFL) >= 0 && write(file, junk, sizeof junk) < 0) continue;
        }
        break;
    case REPORTS_IN_A_PREDICTION:
        for (;;) say("{\"told\": \"progress\", \"done\": 1, \"total\": 2}", 0);
    case ANSWERS_ANOTHER: say("{\"told\": \"answer\", \"number\": 1000000, \"status\": 0}", 0); break;
    case ANNOUNCES_TOO_MUCH: say("{", 16 << 20); break;
    case NOT_A_NUMBER: out[0] = 0.0 / (out[0] - out[0]); break;
    default: break;
    }
}

static void free_bytes(LglpBuffer *buffer) { free(buffer->data); }

static uint32_t schema(LglpBuffer *json, LglpBuffer *error) {
    (void)error;
    if (FAULT == ABORTS_IN_SCHEMA) abort();
    if (FAULT == EXITS_IN_SCHEMA) exit(0);
    if (FAULT == HANGS_IN_SCHEMA) hang();
    char text[8192] = "{\"type\": \"object\", \"additionalProperties\": false}";
    if (FAULT == SCHEMA_IN_A_CIRCLE)
        strcpy(text, "{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"anyOf\": [{\"$ref\": \"#/$defs/a\"}, {\"$ref\": \"#/$defs/a\"}]}}}");
    if (FAULT == SCHEMA_EXPLODES) {
        char *end = text + sprintf(text, "{\"$ref\": \"#/$defs/a\", \"$defs\": {");
        for (char def = 'a'; def < 'z'; def++)
            end += sprintf(end, "\"%c\": {\"allOf\": [{\"$ref\": \"#/$defs/%c\"}, {\"$ref\": \"#/$defs/%c\"}]}, ", def, def + 1, def + 1);
        sprintf(end, "\"z\": {}}}");
    }
    size_t len = strlen(text);
    *json = (LglpBuffer){(uint8_t *)strdup(text), len, len, free_bytes};
    return LGLP_STATUS_OK;
}

static uint32_t create(LglpStr space, size_t row_len, LglpStr parameters, void **instance, LglpBuffer *error) {
    (void)space, (void)parameters, (void)error;
    if (FAULT == ABORTS_IN_CREATE) abort();
    if (FAULT == HANGS_IN_CREATE) hang();
    size_t *len = malloc(sizeof *len);
    *len = row_len;
    *instance = len;
    return LGLP_STATUS_OK;
}

static uint32_t shape(const void *instance, size_t *steps, size_t *width) {
    *width = *(const size_t *)instance;
    *steps = FAULT == ENCODES_TOO_MUCH ? (1 << 24) / *width : 1;
    return LGLP_STATUS_OK;
}

static uint32_t encode(const void *instance, const uint8_t *rows, size_t count, size_t row_len, float *out,
                       LglpBuffer *error) {
    (void)instance, (void)error;
    for (size_t i = 0; i < count * row_len; i++) out[i] = rows[i];
    return LGLP_STATUS_OK;
}

static double sum(const LglpTensorView *inputs, size_t row) {
    double sum = 0;
    for (size_t i = 0; i < inputs->width; i++) sum += inputs->data[row * inputs->width + i];
    return sum;
}

static uint32_t fit(LglpStr parameters, const LglpFitData *data, void **instance, LglpBuffer *error) {
    (void)parameters, (void)error;
    if (FAULT == ABORTS_IN_FIT) abort();
    if (FAULT == EXITS_IN_FIT) _exit(3);
    if (FAULT == SEGFAULTS_IN_FIT) *(volatile int *)8 = 1;
    if (FAULT == HANGS_IN_FIT) hang();
    if (FAULT == REPORTS_FOR_EVER)
        for (;;) data->progress(data->progress_context, 1, 2, 1, 1);
    for (uint64_t done = 1; FAULT == REPORTS_OFTEN && done <= 50000; done++)
        data->progress(data->progress_context, done, 50000, 1, 1);
    Model *model = calloc(1, sizeof *model);
    for (size_t row = 0; row < data->train.rows; row++) {
        double total = sum(&data->train, row);
        if (total > model->largest) model->largest = total;
        model->mean += data->train_targets[row] / (double)data->train.rows;
    }
    *instance = model;
    return LGLP_STATUS_OK;
}

static uint32_t load(uint32_t version, const uint8_t *state, size_t len, void **instance, LglpBuffer *error) {
    (void)error;
    if (version != 1 || len != sizeof(Model)) return LGLP_STATUS_UNSUPPORTED_STATE;
    *instance = memcpy(malloc(len), state, len);
    return LGLP_STATUS_OK;
}

static uint32_t save(const void *instance, LglpBuffer *state, LglpBuffer *error) {
    (void)error;
    size_t len = FAULT == SAVES_NOTHING ? 0 : sizeof(Model);
    Model *copy = malloc(sizeof *copy);
    *copy = *(const Model *)instance;
    if (FAULT == SAVES_ANOTHER) copy->mean *= 2;
    *state = (LglpBuffer){(uint8_t *)copy, FAULT == LIES_OF_ITS_STATE ? (size_t)1 << 40 : len, len, free_bytes};
    return LGLP_STATUS_OK;
}

static size_t outputs(const void *instance) {
    (void)instance;
    return 1;
}

static uint32_t predict(const void *instance, LglpTensorView inputs, double *out, LglpBuffer *error) {
    (void)error;
    const Model *model = instance;
    int is_large = 0;
    for (size_t row = 0; row < inputs.rows; row++) {
        double total = sum(&inputs, row);
        out[row] = FACTOR * model->mean * (1 + total / 1000);
        is_large |= total > 1.2 * model->largest;
    }
    if (is_large) do_harm(out, inputs.rows);
    return LGLP_STATUS_OK;
}

__attribute__((constructor)) static void at_load(void) {
    if (FAULT == ABORTS_AT_LOAD) abort();
    if (FAULT == EXITS_AT_LOAD) exit(0);
    if (FAULT == SEGFAULTS_AT_LOAD) *(volatile int *)8 = 1;
    if (FAULT == HANGS_AT_LOAD) hang();
}

static uint32_t check(LglpBuffer *error) {
    (void)error;
    if (FAULT == ABORTS_IN_CHECK) abort();
    if (FAULT == HANGS_IN_CHECK) hang();
    return LGLP_STATUS_OK;
}

static const LglpEncoderTable encoder = {.create = create, .destroy = free, .shape = shape, .encode = encode};

static const LglpFittedTable fitted = {
    .fit = fit, .load = load, .save = save, .destroy = free, .outputs = outputs, .predict = predict};

static const LglpComponent components[] = {
    {
        .kind = LGLP_KIND_ENCODER,
        .name = STR("rows-" NAME),
        .summary = STR("choice indices as numbers"),
        .schema = schema,
        .encoder = &encoder,
    },
    {
        .kind = LGLP_KIND_REGRESSOR,
        .state_version = 1,
        .name = STR("mean-" NAME),
        .summary = STR("nearly the mean"),
        .schema = schema,
        .fitted = &fitted,
    },
};

const LglpPluginTable lglp_plugin = {
    .magic = FAULT == OTHER_MAGIC ? 1 : LGLP_MAGIC,
    .abi_major = LGLP_ABI_MAJOR,
    .abi_minor = LGLP_ABI_MINOR + (FAULT == NEWER_VERSION),
    .size = sizeof(LglpPluginTable),
    .component_size = sizeof(LglpComponent),
    .name = {(const uint8_t *)(FAULT == NAME_IS_NO_TEXT ? "\xff\xfe" : NAME), FAULT == NAME_IS_NO_TEXT ? 2 : sizeof NAME - 1},
    .version = STR("1.0"),
    .summary = STR("A plugin that does harm"),
    .components = components,
    .component_count = 2,
    .check = check,
};
