/* A whole plugin in C: an encoder that passes the choice indices of an architecture on as numbers, times `scale`.
 *
 *   cc -shared -fPIC -I sdk/include sdk/examples/encoder.c -o plugins/encoder_in_c.so
 */
#include "lglp_plugin.h"

#include <stdlib.h>
#include <string.h>

#define STR(text) {(const uint8_t *)(text), sizeof(text) - 1}

typedef struct {
    size_t row_len;
    float scale;
} Choices;

static void free_text(LglpBuffer *buffer) { free(buffer->data); }

/* Gives a copy of a text to the host, which calls `free_text`. */
static void give(LglpBuffer *buffer, const char *text) {
    if (buffer == NULL) return;
    size_t len = strlen(text);
    uint8_t *copy = malloc(len);
    if (copy == NULL) return;
    memcpy(copy, text, len);
    *buffer = (LglpBuffer){copy, len, len, free_text};
}

/* The host checks parameters against this schema before it calls `create`. */
static uint32_t schema(LglpBuffer *json, LglpBuffer *error) {
    (void)error;
    give(json, "{\"type\": \"object\", \"additionalProperties\": false, "
               "\"properties\": {\"scale\": {\"type\": \"number\", \"exclusiveMinimum\": 0}}}");
    return LGLP_STATUS_OK;
}

/* The number after `"scale":`, or 1. Real plugins use a JSON library. */
static float scale_of(LglpStr parameters) {
    char text[256] = {0};
    memcpy(text, parameters.data, parameters.len < sizeof text - 1 ? parameters.len : sizeof text - 1);
    const char *key = strstr(text, "\"scale\":");
    return key == NULL ? 1.0f : strtof(key + strlen("\"scale\":"), NULL);
}

static uint32_t create(LglpStr space, size_t row_len, LglpStr parameters, void **instance, LglpBuffer *error) {
    (void)space;
    Choices *choices = malloc(sizeof *choices);
    if (choices == NULL) {
        give(error, "out of memory");
        return LGLP_STATUS_FAILED;
    }
    *choices = (Choices){row_len, scale_of(parameters)};
    *instance = choices;
    return LGLP_STATUS_OK;
}

static uint32_t shape(const void *instance, size_t *steps, size_t *width) {
    *steps = 1;
    *width = ((const Choices *)instance)->row_len;
    return LGLP_STATUS_OK;
}

static uint32_t encode(const void *instance, const uint8_t *rows, size_t count, size_t row_len, float *out,
                       LglpBuffer *error) {
    (void)error;
    const Choices *choices = instance;
    for (size_t i = 0; i < count * row_len; i++) out[i] = choices->scale * (float)rows[i];
    return LGLP_STATUS_OK;
}

static const LglpEncoderTable encoder = {.create = create, .destroy = free, .shape = shape, .encode = encode};

static const LglpComponent components[] = {{
    .kind = LGLP_KIND_ENCODER,
    .name = STR("choices"),
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
    .name = STR("encoder-in-c"),
    .version = STR("1.0"),
    .summary = STR("An encoder written in C"),
    .components = components,
    .component_count = sizeof components / sizeof *components,
};
