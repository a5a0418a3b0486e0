/* A feature extractor: what encoders give becomes features that a regressor learns from. */
#include "lglp_plugin.h"

#include <stdlib.h>
#include <string.h>

#include <math.h>

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

/* Columns of mean 0 and standard deviation 1. */
typedef struct {
    uint64_t width;
    /* The mean of each column, and behind them all deviations. */
    double numbers[];
} Extractor;

/* What the state begins with. */
static const uint64_t MAGIC = 0x31434558;

static size_t bytes_of(uint64_t width) { return sizeof(Extractor) + 2 * width * sizeof(double); }

static uint32_t fit(LglpStr parameters, const LglpFitData *data, void **instance, LglpBuffer *error) {
    if (!are_parameters(parameters)) return fail(error, LGLP_STATUS_INVALID_PARAMETERS, "it has no parameters");
    LglpTensorView inputs = data->train;
    size_t width = inputs.steps * inputs.width;
    Extractor *made = calloc(1, bytes_of(width));
    if (made == NULL) return fail(error, LGLP_STATUS_FAILED, "out of memory");
    made->width = width;
    for (size_t column = 0; column < width; column++) {
        double mean = 0, variance = 0;
        for (size_t row = 0; row < inputs.rows; row++) mean += inputs.data[row * width + column];
        mean /= (double)inputs.rows;
        for (size_t row = 0; row < inputs.rows; row++) {
            double difference = inputs.data[row * width + column] - mean;
            variance += difference * difference;
        }
        made->numbers[column] = mean;
        made->numbers[width + column] = sqrt(variance / (double)inputs.rows);
    }
    *instance = made;
    return LGLP_STATUS_OK;
}

static uint32_t load(uint32_t version, const uint8_t *state, size_t len, void **instance, LglpBuffer *error) {
    uint64_t head[2];
    if (version != 1 || len < sizeof head) return fail(error, LGLP_STATUS_UNSUPPORTED_STATE, "it is no state of version 1");
    memcpy(head, state, sizeof head);
    /* It comes from a file, and is believed as far as it is checked. */
    size_t numbers = len - sizeof head;
    if (head[0] != MAGIC || head[1] > numbers || numbers != 2 * head[1] * sizeof(double))
        return fail(error, LGLP_STATUS_UNSUPPORTED_STATE, "it is cut off, or no state");
    Extractor *made = malloc(bytes_of(head[1]));
    if (made == NULL) return fail(error, LGLP_STATUS_FAILED, "out of memory");
    made->width = head[1];
    memcpy(made->numbers, state + sizeof head, numbers);
    *instance = made;
    return LGLP_STATUS_OK;
}

static uint32_t save(const void *instance, LglpBuffer *state, LglpBuffer *error) {
    const Extractor *self = instance;
    size_t numbers = 2 * self->width * sizeof(double), len = 2 * sizeof(uint64_t) + numbers;
    uint8_t *bytes = malloc(len);
    if (bytes == NULL) return fail(error, LGLP_STATUS_FAILED, "out of memory");
    memcpy(bytes, &MAGIC, sizeof MAGIC);
    memcpy(bytes + sizeof MAGIC, &self->width, sizeof self->width);
    memcpy(bytes + 2 * sizeof(uint64_t), self->numbers, numbers);
    *state = (LglpBuffer){bytes, len, len, free_bytes};
    return LGLP_STATUS_OK;
}

static size_t outputs(const void *instance) { return ((const Extractor *)instance)->width; }

static uint32_t extract(const void *instance, LglpTensorView inputs, float *out, LglpBuffer *error) {
    const Extractor *self = instance;
    if (inputs.steps * inputs.width != self->width) return fail(error, LGLP_STATUS_FAILED, "rows of another width");
    for (size_t row = 0; row < inputs.rows; row++)
        for (size_t column = 0; column < self->width; column++) {
            double deviation = self->numbers[self->width + column];
            double difference = inputs.data[row * self->width + column] - self->numbers[column];
            out[row * self->width + column] = deviation > 0 ? (float)(difference / deviation) : 0;
        }
    return LGLP_STATUS_OK;
}

static const LglpFittedTable fitted = {
    .fit = fit, .load = load, .save = save, .destroy = free, .outputs = outputs, .extract = extract};

static const LglpComponent components[] = {{
    .kind = LGLP_KIND_EXTRACTOR,
    .state_version = 1,
    .name = STR("@name@"),
    .summary = STR("columns of mean 0 and standard deviation 1"),
    .schema = schema,
    .fitted = &fitted,
}};

const LglpPluginTable lglp_plugin = {
    .magic = LGLP_MAGIC,
    .abi_major = LGLP_ABI_MAJOR,
    .abi_minor = LGLP_ABI_MINOR,
    .size = sizeof(LglpPluginTable),
    .component_size = sizeof(LglpComponent),
    .name = STR("@name@"),
    .version = STR("0.1.0"),
    .summary = STR("The feature extractor @name@"),
    .components = components,
    .component_count = sizeof components / sizeof *components,
};
