/* An encoder that breaks the contract in the way that FAULT names: what `lglp plugin check` is to notice. */
#define _GNU_SOURCE
#include "lglp_plugin.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STR(text) {(const uint8_t *)(text), sizeof(text) - 1}

enum {
    NONE,
    WRITES_BEHIND,
    WRITES_BEFORE,
    READS_BEHIND,
    RANDOM,
    TELLS_PLACES,
    LEAKS,
    NOT_A_NUMBER,
    SEGFAULTS,
    ABORTS,
    EXITS,
    HANGS,
    SHARES_A_BUFFER,
    CONSTANT,
    NAME_IS_NO_TEXT,
    SCHEMA_IS_NO_JSON,
    SCHEMA_IS_NO_SCHEMA,
    EMPTY_SHAPE,
    HANGS_IN_CREATE,
    EXITS_AT_LOAD,
    FREES_TWICE,
    UNKNOWN_STATUS,
    OTHER_INSTANCES,
    NEWER_VERSION,
    OTHER_MAGIC,
    LEAVES_THE_GROUP,
    LEAVES_FILES_OPEN,
    WRITES_TO_ROWS,
};

typedef struct {
    size_t row_len;
    float first;
} Choices;

static int instances;

static void free_text(LglpBuffer *buffer) { free(buffer->data); }

static uint32_t schema(LglpBuffer *json, LglpBuffer *error) {
    (void)error;
    const char *text = FAULT == SCHEMA_IS_NO_JSON     ? "no JSON"
                       : FAULT == SCHEMA_IS_NO_SCHEMA ? "{\"type\": 5}"
                                                      : "{\"type\": \"object\", \"additionalProperties\": false}";
    size_t len = strlen(text);
    uint8_t *copy = malloc(len);
    memcpy(copy, text, len);
    *json = (LglpBuffer){copy, len, len, free_text};
    return LGLP_STATUS_OK;
}

static uint32_t create(LglpStr space, size_t row_len, LglpStr parameters, void **instance, LglpBuffer *error) {
    (void)space;
    (void)error;
    if (FAULT == LEAVES_THE_GROUP) setpgid(0, getpgid(getppid()));
    while (FAULT == HANGS_IN_CREATE || FAULT == LEAVES_THE_GROUP) sleep(1);
    if (parameters.len > 2) return LGLP_STATUS_INVALID_PARAMETERS;
    Choices *choices = malloc(sizeof *choices);
    *choices = (Choices){row_len, FAULT == OTHER_INSTANCES ? (float)instances++ : 0};
    *instance = choices;
    return LGLP_STATUS_OK;
}

static void destroy(void *instance) {
    free(instance);
    if (FAULT == FREES_TWICE) free(instance);
}

static uint32_t shape(const void *instance, size_t *steps, size_t *width) {
    *steps = 1;
    *width = FAULT == EMPTY_SHAPE ? 0 : ((const Choices *)instance)->row_len;
    return LGLP_STATUS_OK;
}

static uint32_t encode(const void *instance, const uint8_t *rows, size_t count, size_t row_len, float *out,
                       LglpBuffer *error) {
    (void)error;
    const Choices *choices = instance;
    size_t values = count * row_len;
    volatile uint8_t last = 0;
    static float buffer[1 << 16];
    switch (FAULT) {
    case WRITES_BEHIND: out[values] = 1; break;
    case WRITES_BEFORE: out[-1] = 1; break;
    case READS_BEHIND: last = rows[values]; break;
    case LEAVES_FILES_OPEN: dup(0); break;
    case WRITES_TO_ROWS: *(volatile uint8_t *)rows = rows[0]; break;
    case LEAKS: memset(malloc(4096), 1, 4096); break;
    case SEGFAULTS: *(volatile int *)8 = 1; break;
    case ABORTS: abort();
    case EXITS: exit(0);
    case HANGS: for (;;) sleep(1);
    case UNKNOWN_STATUS: return 77;
    default: break;
    }
    (void)last;
    float *target = FAULT == SHARES_A_BUFFER && values <= 1 << 16 ? buffer : out;
    for (size_t i = 0; i < values; i++) target[i] = FAULT == CONSTANT ? 1 : (float)rows[i] + choices->first;
    if (FAULT == SHARES_A_BUFFER) {
        memcpy(out, buffer, values * sizeof *out);
    }
    if (FAULT == RANDOM && count > 0) out[0] = (float)rand();
    if (FAULT == NOT_A_NUMBER && count > 0) out[0] = 0.0f / (out[0] - out[0]);
    if (FAULT == TELLS_PLACES)
        for (size_t i = 0; i < count; i++) out[i * row_len] = (float)i;
    return LGLP_STATUS_OK;
}

__attribute__((constructor)) static void at_load(void) {
    if (FAULT == EXITS_AT_LOAD) _exit(0);
}

static const LglpEncoderTable encoder = {.create = create, .destroy = destroy, .shape = shape, .encode = encode};

static const LglpComponent components[] = {{
    .kind = LGLP_KIND_ENCODER,
    .name = STR("faulty"),
    .summary = STR("choice indices as numbers"),
    .schema = schema,
    .encoder = &encoder,
}};

const LglpPluginTable lglp_plugin = {
    .magic = FAULT == OTHER_MAGIC ? 1 : LGLP_MAGIC,
    .abi_major = LGLP_ABI_MAJOR,
    .abi_minor = LGLP_ABI_MINOR + (FAULT == NEWER_VERSION),
    .size = sizeof(LglpPluginTable),
    .component_size = sizeof(LglpComponent),
    .name = {(const uint8_t *)(FAULT == NAME_IS_NO_TEXT ? "\xff\xfe" : "ab"), 2},
    .version = STR("1.0"),
    .summary = STR("A plugin that breaks the contract"),
    .components = components,
    .component_count = 1,
};
