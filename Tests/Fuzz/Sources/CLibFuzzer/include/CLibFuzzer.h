#pragma once

#include <stddef.h>
#include <stdint.h>

/// libFuzzer's own main function, for programs that have one already (https://llvm.org/docs/LibFuzzer.html).
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*body)(const uint8_t *data, size_t size));
