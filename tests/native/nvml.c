/* A stand-in for libnvidia-ml.so: two graphics processors, of which the second draws 300 W all the time, tells it to
 * the millijoule every 20 ms, and is slowed down by what STAND_IN_SLOWDOWN says. Declared as NVML's documentation has
 * them. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { int index; const char *name, *uuid; } gpu;
static gpu gpus[] = {{0, "Stand-In 100", "GPU-stand-in-0"}, {1, "Stand-In 300", "GPU-stand-in-1"}};

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7 };

static int text(const char *from, char *to, unsigned length) {
    if (strlen(from) >= length) return TOO_SMALL;
    strcpy(to, from);
    return SUCCESS;
}

int nvmlInit_v2(void) { return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
int nvmlSystemGetDriverVersion(char *version, unsigned length) { return text("555.42.01", version, length); }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return SUCCESS; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, gpu **device) {
    if (index > 1) return NOT_FOUND;
    *device = &gpus[index];
    return SUCCESS;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, gpu **device) {
    for (int i = 0; i < 2; i++)
        if (strcmp(gpus[i].uuid, uuid) == 0) { *device = &gpus[i]; return SUCCESS; }
    return NOT_FOUND;
}

int nvmlDeviceGetName(gpu *device, char *name, unsigned length) { return text(device->name, name, length); }

int nvmlDeviceGetTotalEnergyConsumption(gpu *device, unsigned long long *millijoules) {
    if (device->index == 0) return NOT_SUPPORTED;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    unsigned long long ms = now.tv_sec * 1000ull + now.tv_nsec / 1000000;
    *millijoules = ms / 20 * 20 * 300;
    return SUCCESS;
}

int nvmlDeviceGetClockInfo(gpu *device, int clock, unsigned *mhz) {
    (void)device;
    *mhz = clock == 1 ? 1755 : 2619; /* NVML_CLOCK_SM, NVML_CLOCK_MEM */
    return SUCCESS;
}

int nvmlDeviceGetTemperature(gpu *device, int sensor, unsigned *celsius) {
    (void)device, (void)sensor;
    *celsius = 61;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(gpu *device, unsigned *milliwatts) {
    (void)device;
    *milliwatts = 299500;
    return SUCCESS;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(gpu *device, unsigned long long *reasons) {
    (void)device;
    const char *said = getenv("STAND_IN_SLOWDOWN");
    *reasons = said ? strtoull(said, NULL, 0) : 0;
    return SUCCESS;
}

int nvmlDeviceGetCudaComputeCapability(gpu *device, int *major, int *minor) {
    (void)device;
    *major = 9, *minor = 0;
    return SUCCESS;
}

typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory;

int nvmlDeviceGetMemoryInfo_v2(gpu *device, memory *info) {
    (void)device;
    if (info->version != (sizeof(memory) | 2u << 24)) return NOT_SUPPORTED;
    info->total = 80ull << 30;
    return SUCCESS;
}
