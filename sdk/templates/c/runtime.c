/* A runtime: it runs networks on a device, and times them.
 *
 * This one stands where yours is to be: its "device" reads each byte of the model once. Put your own into `run`. */
#define _POSIX_C_SOURCE 199309L
#include "lglp_plugin.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STR(text) {(const uint8_t *)(text), sizeof(text) - 1}

static void free_bytes(LglpBuffer *buffer) { free(buffer->data); }

/* Gives a copy of some bytes to the host, which calls `free_bytes`. */
static void give(LglpBuffer *buffer, const void *bytes, size_t len) {
    if (buffer == NULL) return;
    uint8_t *copy = malloc(len);
    if (copy == NULL) return;
    memcpy(copy, bytes, len);
    *buffer = (LglpBuffer){copy, len, len, free_bytes};
}

static uint32_t fail(LglpBuffer *error, uint32_t status, const char *message) {
    give(error, message, strlen(message));
    return status;
}

/* The host checks parameters against this schema before they come here. There are none yet. */
static uint32_t schema(LglpBuffer *json, LglpBuffer *error) {
    (void)error;
    const char *text = "{\"type\": \"object\", \"additionalProperties\": false}";
    give(json, text, strlen(text));
    return LGLP_STATUS_OK;
}

static int are_parameters(LglpStr json) { return json.len == 2 && memcmp(json.data, "{}", 2) == 0; }

typedef struct {
    size_t len;
    uint8_t model[];
} Network;

/* The field of an ONNX model that holds its graph. */
enum { GRAPH = 7 };

/* Reads a number of protobuf, and goes on behind it; 0 where there is none. */
static int number(const uint8_t **at, const uint8_t *end, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return 1;
    }
    return 0;
}

/* Whether it is a whole message with a graph. Yours reads what is in it, too. */
static int is_model(const uint8_t *at, size_t len) {
    const uint8_t *end = at + len;
    int has_graph = 0;
    while (at < end) {
        uint64_t tag, skipped;
        if (!number(&at, end, &tag)) return 0;
        switch (tag % 8) {
        case 0:
            if (!number(&at, end, &skipped)) return 0;
            skipped = 0;
            break;
        case 1: skipped = 8; break;
        case 2:
            if (!number(&at, end, &skipped)) return 0;
            break;
        case 5: skipped = 4; break;
        default: return 0;
        }
        if (skipped > (uint64_t)(end - at)) return 0;
        at += skipped;
        has_graph |= tag / 8 == GRAPH;
    }
    return has_graph;
}

static uint32_t open_device(LglpStr parameters, void **instance, LglpBuffer *error) {
    if (!are_parameters(parameters)) return fail(error, LGLP_STATUS_INVALID_PARAMETERS, "it has no settings");
    /* Where a library or a device is missing: LGLP_STATUS_UNAVAILABLE, with what it is and how to get it. */
    *instance = malloc(1);
    return *instance == NULL ? fail(error, LGLP_STATUS_FAILED, "out of memory") : LGLP_STATUS_OK;
}

static uint32_t describe(const void *instance, LglpBuffer *json, LglpBuffer *error) {
    (void)instance;
    (void)error;
    const char *text = "{\"runtime\": \"@name@\", \"version\": \"0.1.0\", \"device\": \"memory\", \"precision\": \"float32\"}";
    give(json, text, strlen(text));
    return LGLP_STATUS_OK;
}

static uint32_t load(const void *instance, const uint8_t *onnx, size_t len, void **network, LglpBuffer *error) {
    (void)instance;
    if (!is_model(onnx, len)) return fail(error, LGLP_STATUS_FAILED, "it is no ONNX model");
    Network *made = malloc(sizeof *made + len);
    if (made == NULL) return fail(error, LGLP_STATUS_FAILED, "out of memory");
    made->len = len;
    memcpy(made->model, onnx, len);
    *network = made;
    return LGLP_STATUS_OK;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t run(const void *instance, void *network, uint64_t *wall_ns, uint64_t *cpu_ns, LglpBuffer *error) {
    (void)instance;
    (void)error;
    const Network *loaded = network;
    volatile uint64_t sum = 0;
    uint64_t began = now_ns(), bytes = 0;
    for (size_t at = 0; at < loaded->len; at++) bytes += loaded->model[at];
    sum = bytes;
    (void)sum;
    *wall_ns = now_ns() - began;
    if (*wall_ns == 0) *wall_ns = 1;
    *cpu_ns = 0;
    return LGLP_STATUS_OK;
}

static const LglpRuntimeTable runtime = {
    .open = open_device, .close = free, .describe = describe, .load = load, .unload = free, .run = run};

static const LglpComponent components[] = {{
    .kind = LGLP_KIND_RUNTIME,
    .state_version = 0,
    .name = STR("@name@"),
    .summary = STR("reads each byte of a model once"),
    .schema = schema,
    .runtime = &runtime,
}};

const LglpPluginTable lglp_plugin = {
    .magic = LGLP_MAGIC,
    .abi_major = LGLP_ABI_MAJOR,
    .abi_minor = LGLP_ABI_MINOR,
    .size = sizeof(LglpPluginTable),
    .component_size = sizeof(LglpComponent),
    .name = STR("@name@"),
    .version = STR("0.1.0"),
    .summary = STR("The runtime @name@"),
    .components = components,
    .component_count = sizeof components / sizeof *components,
};
