/* A regressor: what encoders or extractors give becomes a prediction. */
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

/* Rows whose targets are averaged. */
enum { NEIGHBOURS = 5 };

/* The mean of the nearest rows that were measured. */
typedef struct {
    uint64_t width, rows;
    float *inputs;
    double *targets;
} Regressor;

/* What the state begins with. */
static const uint64_t MAGIC = 0x31474552;

static void destroy(void *instance) {
    Regressor *self = instance;
    free(self->inputs);
    free(self->targets);
    free(self);
}

static Regressor *make(uint64_t width, uint64_t rows, const void *inputs, const void *targets) {
    Regressor *made = calloc(1, sizeof *made);
    if (made == NULL) return NULL;
    *made = (Regressor){width, rows, malloc(rows * width * sizeof(float) + 1), malloc(rows * sizeof(double))};
    if (made->inputs == NULL || made->targets == NULL) {
        destroy(made);
        return NULL;
    }
    memcpy(made->inputs, inputs, rows * width * sizeof(float));
    memcpy(made->targets, targets, rows * sizeof(double));
    return made;
}

static uint32_t fit(LglpStr parameters, const LglpFitData *data, void **instance, LglpBuffer *error) {
    if (!are_parameters(parameters)) return fail(error, LGLP_STATUS_INVALID_PARAMETERS, "it has no parameters");
    LglpTensorView inputs = data->train;
    if (inputs.rows == 0) return fail(error, LGLP_STATUS_FAILED, "no rows to learn from");
    *instance = make(inputs.steps * inputs.width, inputs.rows, inputs.data, data->train_targets);
    return *instance == NULL ? fail(error, LGLP_STATUS_FAILED, "out of memory") : LGLP_STATUS_OK;
}

static uint32_t load(uint32_t version, const uint8_t *state, size_t len, void **instance, LglpBuffer *error) {
    uint64_t head[3];
    if (version != 1 || len < sizeof head) return fail(error, LGLP_STATUS_UNSUPPORTED_STATE, "it is no state of version 1");
    memcpy(head, state, sizeof head);
    /* It comes from a file, and is believed as far as it is checked. */
    size_t rest = len - sizeof head;
    if (head[0] != MAGIC || head[1] > rest || head[2] == 0 || head[2] > rest)
        return fail(error, LGLP_STATUS_UNSUPPORTED_STATE, "it is no state");
    size_t row = head[1] * sizeof(float) + sizeof(double);
    if (rest % row != 0 || rest / row != head[2]) return fail(error, LGLP_STATUS_UNSUPPORTED_STATE, "it is cut off");
    const uint8_t *inputs = state + sizeof head;
    *instance = make(head[1], head[2], inputs, inputs + head[1] * head[2] * sizeof(float));
    return *instance == NULL ? fail(error, LGLP_STATUS_FAILED, "out of memory") : LGLP_STATUS_OK;
}

static uint32_t save(const void *instance, LglpBuffer *state, LglpBuffer *error) {
    const Regressor *self = instance;
    uint64_t head[3] = {MAGIC, self->width, self->rows};
    size_t inputs = self->rows * self->width * sizeof(float), targets = self->rows * sizeof(double);
    uint8_t *bytes = malloc(sizeof head + inputs + targets);
    if (bytes == NULL) return fail(error, LGLP_STATUS_FAILED, "out of memory");
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + sizeof head, self->inputs, inputs);
    memcpy(bytes + sizeof head + inputs, self->targets, targets);
    size_t len = sizeof head + inputs + targets;
    *state = (LglpBuffer){bytes, len, len, free_bytes};
    return LGLP_STATUS_OK;
}

static size_t outputs(const void *instance) {
    (void)instance;
    return 1;
}

static double predict_row(const Regressor *self, const float *row) {
    double distances[NEIGHBOURS], targets[NEIGHBOURS];
    size_t found = 0;
    for (uint64_t other = 0; other < self->rows; other++) {
        double distance = 0;
        for (uint64_t column = 0; column < self->width; column++) {
            double difference = row[column] - self->inputs[other * self->width + column];
            distance += difference * difference;
        }
        /* Among the nearest so far, in their order. */
        size_t at = found < NEIGHBOURS ? found++ : NEIGHBOURS - 1;
        if (at == NEIGHBOURS - 1 && found == NEIGHBOURS && other >= NEIGHBOURS && !(distance < distances[at])) continue;
        for (; at > 0 && distance < distances[at - 1]; at--) {
            distances[at] = distances[at - 1];
            targets[at] = targets[at - 1];
        }
        distances[at] = distance;
        targets[at] = self->targets[other];
    }
    double sum = 0;
    for (size_t at = 0; at < found; at++) sum += targets[at];
    return sum / (double)found;
}

static uint32_t predict(const void *instance, LglpTensorView inputs, double *out, LglpBuffer *error) {
    const Regressor *self = instance;
    if (inputs.steps * inputs.width != self->width) return fail(error, LGLP_STATUS_FAILED, "rows of another width");
    for (size_t row = 0; row < inputs.rows; row++) out[row] = predict_row(self, inputs.data + row * self->width);
    return LGLP_STATUS_OK;
}

static const LglpFittedTable fitted = {
    .fit = fit, .load = load, .save = save, .destroy = destroy, .outputs = outputs, .predict = predict};

static const LglpComponent components[] = {{
    .kind = LGLP_KIND_REGRESSOR,
    .state_version = 1,
    .name = STR("@name@"),
    .summary = STR("the mean of the nearest measured rows"),
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
    .summary = STR("The regressor @name@"),
    .components = components,
    .component_count = sizeof components / sizeof *components,
};
