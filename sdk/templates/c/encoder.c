/* An encoder: architectures become numbers that a regressor learns from. */
#include "lglp_plugin.h"

#include <stdlib.h>
#include <string.h>

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

/* Which choice was made at each place of the space, as a number. */
typedef struct {
    size_t row_len;
} Encoder;

static uint32_t create(LglpStr space, size_t row_len, LglpStr parameters, void **instance, LglpBuffer *error) {
    (void)space;
    if (!are_parameters(parameters)) return fail(error, LGLP_STATUS_INVALID_PARAMETERS, "it has no parameters");
    Encoder *encoder = malloc(sizeof *encoder);
    if (encoder == NULL) return fail(error, LGLP_STATUS_FAILED, "out of memory");
    *encoder = (Encoder){row_len};
    *instance = encoder;
    return LGLP_STATUS_OK;
}

static uint32_t shape(const void *instance, size_t *steps, size_t *width) {
    *steps = 1;
    *width = ((const Encoder *)instance)->row_len;
    return LGLP_STATUS_OK;
}

static uint32_t encode(const void *instance, const uint8_t *rows, size_t count, size_t row_len, float *out,
                       LglpBuffer *error) {
    (void)instance;
    (void)error;
    for (size_t i = 0; i < count * row_len; i++) out[i] = (float)rows[i];
    return LGLP_STATUS_OK;
}

static const LglpEncoderTable encoder = {.create = create, .destroy = free, .shape = shape, .encode = encode};

static const LglpComponent components[] = {{
    .kind = LGLP_KIND_ENCODER,
    .state_version = 0,
    .name = STR("@name@"),
    .summary = STR("choice indices as numbers"),
    .schema = schema,
    .encoder = &encoder,
}};

const LglpPluginTable lglp_plugin = {
    .magic = LGLP_MAGIC,
    .abi_major = LGLP_ABI_MAJOR,
    .abi_minor = LGLP_ABI_MINOR,
    .size = sizeof(LglpPluginTable),
    .component_size = sizeof(LglpComponent),
    .name = STR("@name@"),
    .version = STR("0.1.0"),
    .summary = STR("The encoder @name@"),
    .components = components,
    .component_count = sizeof components / sizeof *components,
};
