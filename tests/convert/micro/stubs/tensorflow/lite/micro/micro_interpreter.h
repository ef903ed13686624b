// Declarations of TFLite Micro, as far as digits.cc uses them: enough to compile it, not to link it.
#pragma once

#include <cstddef>
#include <cstdint>

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

struct TfLiteTensor {
    union {
        uint8_t *uint8;
        int8_t *int8;
    } data;
    size_t bytes;
};

namespace tflite {

struct Model;

class MicroOpResolver {
  public:
    virtual ~MicroOpResolver() {
    }
};

class MicroInterpreter {
  public:
    MicroInterpreter(const Model *model, const MicroOpResolver &resolver, uint8_t *tensor_arena,
                     size_t tensor_arena_size);
    ~MicroInterpreter();
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
};

} // namespace tflite
