/* An encoder in C that reads what a network does, not what was chosen: the multiply-accumulates of each kind of operator, in millions.
 *
 *   cc -shared -fPIC -I sdk/include sdk/examples/operators.c -o plugins/operators_in_c.so
 */
#include "lglp_plugin.h"

#include <stdlib.h>
#include <string.h>

#define STR(text) {(const uint8_t *)(text), sizeof(text) - 1}

/* Kinds that are known; others, which later versions may bring, share the last column. */
enum { KINDS = LGLP_OPERATOR_FULLY_CONNECTED, COLUMNS = KINDS + 1 };

static void free_text(LglpBuffer *buffer) { free(buffer->data); }

static uint32_t schema(LglpBuffer *json, LglpBuffer *error) {
    (void)error;
    static const char text[] = "{\"type\": \"object\", \"additionalProperties\": false}";
    uint8_t *copy = malloc(sizeof text - 1);
    if (copy == NULL) return LGLP_STATUS_FAILED;
    memcpy(copy, text, sizeof text - 1);
    *json = (LglpBuffer){copy, sizeof text - 1, sizeof text - 1, free_text};
    return LGLP_STATUS_OK;
}

/* There is nothing to keep: any address will do. */
static uint32_t create(LglpStr space, size_t row_len, LglpStr parameters, void **instance, LglpBuffer *error) {
    (void)space, (void)row_len, (void)parameters, (void)error;
    *instance = malloc(1);
    return *instance == NULL ? LGLP_STATUS_FAILED : LGLP_STATUS_OK;
}

/* An encoder reads rows or operators; what it does not read it does not offer. */
static uint32_t shape(const void *instance, size_t *steps, size_t *width) {
    (void)instance, (void)steps, (void)width;
    return LGLP_STATUS_NOT_OFFERED;
}

static uint32_t encode(const void *instance, const uint8_t *rows, size_t count, size_t row_len, float *out,
                       LglpBuffer *error) {
    (void)instance, (void)rows, (void)count, (void)row_len, (void)out, (void)error;
    return LGLP_STATUS_NOT_OFFERED;
}

static uint32_t shape_of_operators(const void *instance, size_t operators, size_t *steps, size_t *width) {
    (void)instance, (void)operators;
    *steps = 1;
    *width = COLUMNS;
    return LGLP_STATUS_OK;
}

static uint32_t encode_operators(const void *instance, const LglpOperator *operators, const size_t *ends, size_t count,
                                 size_t most, float *out, LglpBuffer *error) {
    (void)instance, (void)most, (void)error;
    size_t at = 0;
    for (size_t network = 0; network < count; network++) {
        for (; at < ends[network]; at++) {
            uint32_t kind = operators[at].kind;
            size_t column = kind >= 1 && kind <= KINDS ? kind - 1 : KINDS;
            out[network * COLUMNS + column] += (float)operators[at].macs / 1e6f;
        }
    }
    return LGLP_STATUS_OK;
}

static const LglpEncoderTable encoder = {
    .create = create,
    .destroy = free,
    .shape = shape,
    .encode = encode,
    .shape_of_operators = shape_of_operators,
    .encode_operators = encode_operators,
};

static const LglpComponent components[] = {{
    .kind = LGLP_KIND_ENCODER,
    .name = STR("macs-by-kind"),
    .summary = STR("multiply-accumulates of each kind of operator"),
    .schema = schema,
    .encoder = &encoder,
}};

const LglpPluginTable lglp_plugin = {
    .magic = LGLP_MAGIC,
    .abi_major = LGLP_ABI_MAJOR,
    .abi_minor = LGLP_ABI_MINOR,
    .size = sizeof(LglpPluginTable),
    .component_size = sizeof(LglpComponent),
    .name = STR("operators-in-c"),
    .version = STR("1.0"),
    .summary = STR("An encoder in C that reads operators"),
    .components = components,
    .component_count = sizeof components / sizeof *components,
};
